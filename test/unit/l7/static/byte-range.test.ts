import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRange } from '../../../../src/l7/static/byte-range.ts';

describe('parseRange', () => {
  it('reads single ranges', () => {
    const cases = [
      ['bytes=0-0', 0, 0],
      ['bytes=2-5', 2, 5],
      ['bytes=5-', 5, 9],
      ['bytes=9-9', 9, 9],
      ['bytes=0-99', 0, 9],
      ['bytes=-3', 7, 9],
      ['bytes=-99', 0, 9],
      ['BYTES= 1-2 ', 1, 2],
      [`bytes=0-${'9'.repeat(400)}`, 0, 9],
    ] as const;
    for (const [header, first, last] of cases)
      assert.deepEqual(parseRange(header, 10), { first, last }, header);
  });

  it('rejects ranges outside the file', () => {
    for (const header of ['bytes=10-', 'bytes=10-20', 'bytes=-0', `bytes=${'9'.repeat(400)}-`]) {
      assert.equal(parseRange(header, 10), 'unsatisfiable', header);
    }
    assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable');
  });

  it('ignores anything but a single range', () => {
    for (const header of [
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=5-2',
      'bytes=a-b',
      'bytes=1-2,4-5',
      'bytes=0-0,-1',
      'lines=1-2',
      'bytes=1 -2',
      'bytes=+1-2',
      'bytes=--1',
      'bytes=1-2-3',
    ]) {
      assert.equal(parseRange(header, 10), null, header);
    }
    assert.equal(parseRange('bytes=-5', 0), null);
  });

  it('never exceeds the file', () => {
    const bound = fc.oneof(fc.constant(''), fc.nat().map(String), fc.bigInt({ min: 0n }).map(String));
    fc.assert(
      fc.property(bound, bound, fc.nat(), (from, to, size) => {
        const range = parseRange(`bytes=${from}-${to}`, size);
        if (range === null || range === 'unsatisfiable') return;
        assert.ok(range.first >= 0 && range.first <= range.last && range.last < size);
      }),
    );
  });
});
