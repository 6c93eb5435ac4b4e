import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration, parseFineDuration } from '../../../../src/core/units/duration.ts';

describe('duration', () => {
  it('reads a number and a unit', () => {
    assert.equal(parseDuration('250ms'), 250);
    assert.equal(parseDuration('5s'), 5000);
    assert.equal(parseDuration('1.5s'), 1500);
    assert.equal(parseDuration('2m'), 120_000);
    assert.equal(parseDuration('1h'), 3_600_000);
    assert.equal(parseDuration('1d'), 86_400_000);
    assert.equal(parseDuration('0s'), 0);
    assert.equal(parseDuration('0'), 0);
  });

  it('accepts a number without a unit only if the caller names its unit', () => {
    assert.equal(parseDuration('5'), undefined);
    assert.equal(parseDuration('5', 's'), 5000);
    assert.equal(parseDuration('1.5', 'm'), 90_000);
    assert.equal(parseDuration('250ms', 's'), 250);
    assert.equal(parseDuration('0', 's'), 0);
  });

  it('keeps the fraction of a millisecond in a fine duration', () => {
    assert.equal(parseFineDuration('500us'), 0.5);
    assert.equal(parseFineDuration('500µs'), 0.5);
    assert.equal(parseFineDuration('0.25ms'), 0.25);
    assert.equal(parseFineDuration('2s'), 2000);
    for (const text of ['', '5', '5 ms', '-5ms', '5constructor']) {
      assert.equal(parseFineDuration(text), undefined, text);
    }
  });

  it('refuses text that is not a duration', () => {
    for (const text of [
      '',
      '5',
      '5 s',
      ' 5s',
      '5s ',
      '-5s',
      '5S',
      '5sec',
      '.5s',
      '5.s',
      '1e3s',
      's',
      '5s5s',
      '∞s',
      '5us',
      '5toString',
    ]) {
      assert.equal(parseDuration(text), undefined, text);
    }
  });

  it('never rounds a positive amount to 0', () => {
    assert.equal(parseDuration('0.1ms'), 1);
    assert.equal(parseDuration('0.0000001s'), 1);
    assert.equal(parseDuration('0.0ms'), 0);
  });

  it('is formatted in the largest unit without a fraction', () => {
    assert.equal(formatDuration(0), '0s');
    assert.equal(formatDuration(1), '1ms');
    assert.equal(formatDuration(1500), '1500ms');
    assert.equal(formatDuration(90_000), '90s');
    assert.equal(formatDuration(120_000), '2m');
    assert.equal(formatDuration(86_400_000), '1d');
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000), (count, unit) => {
        const ms = count * unit;
        assert.equal(parseDuration(formatDuration(ms)), ms);
      }),
    );
  });

  it('accepts any text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseDuration(text);
        assert.ok(ms === undefined || (ms >= 0 && (Number.isInteger(ms) || ms === Infinity)));
      }),
    );
  });
});
