import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isoTime, parseIsoTime } from '../../../../src/core/timing/iso-time.ts';

describe('a time in ISO 8601', () => {
  for (const [ms, text] of [
    [0, '1970-01-01T00:00:00.000Z'],
    [1_893_456_000_001, '2030-01-01T00:00:00.001Z'],
    [1e300, '+275760-09-13T00:00:00.000Z'],
    [Infinity, '+275760-09-13T00:00:00.000Z'],
  ] as const) {
    it(`of ${ms} ms is ${text}`, () => assert.equal(isoTime(ms), text));
  }

  it('is read as it was written', () => {
    for (const ms of [0, 1_893_456_000_001, 8.64e15]) assert.equal(parseIsoTime(isoTime(ms)), ms);
  });

  for (const text of ['', '5', '2030', 'tomorrow', '2030-13-01T00:00:00Z', 'Jan 1 2030']) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseIsoTime(text), null));
  }
});
