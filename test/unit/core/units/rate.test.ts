import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatByteRate, formatRate, parseByteRate, parseRate } from '../../../../src/core/units/rate.ts';

describe('rate', () => {
  it('reads a number per second, minute or hour', () => {
    assert.equal(parseRate('100/s'), 100);
    assert.equal(parseRate('0.5/s'), 0.5);
    assert.equal(parseRate('30/m'), 0.5);
    assert.equal(parseRate('1800/h'), 0.5);
    assert.equal(parseRate('0/s'), 0);
  });

  it('accepts a number without a unit only if the caller names its unit', () => {
    assert.equal(parseRate('100'), undefined);
    assert.equal(parseRate('100', '/s'), 100);
    assert.equal(parseRate('60', '/m'), 1);
    assert.equal(parseRate('30/m', '/s'), 0.5);
  });

  it('refuses text that is not a rate', () => {
    for (const text of [
      '',
      '/s',
      '100s',
      '100 /s',
      '-1/s',
      '1e3/s',
      '100/d',
      '100/s/s',
      ' 1/s',
      '1/toString',
    ]) {
      assert.equal(parseRate(text), undefined, text);
      assert.equal(parseRate(text, '/s'), undefined, text);
    }
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('/s', '/m', '/h'), (count, unit) => {
        const perSecond = parseRate(`${count}${unit}`)!;
        assert.equal(parseRate(formatRate(perSecond)), perSecond);
      }),
    );
  });
});

describe('byte rate', () => {
  it('reads a size per second', () => {
    assert.equal(parseByteRate('512B/s'), 512);
    assert.equal(parseByteRate('512/s'), 512);
    assert.equal(parseByteRate('64KiB/s'), 65_536);
    assert.equal(parseByteRate('0/s'), 0);
  });

  it('refuses text that is not a rate of bytes', () => {
    for (const text of ['', '/s', '512', '512B', '512B/m', '512B /s', '-1/s', '512B/s/s']) {
      assert.equal(parseByteRate(text), undefined, text);
    }
  });

  it('reads back what it wrote', () => {
    fc.assert(fc.property(fc.nat(), (bytes) => assert.equal(parseByteRate(formatByteRate(bytes)), bytes)));
  });
});
