import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { age, bytes, count, percent, rate, seconds, whole } from '../../../../src/cli/top/figures.ts';

describe('figures in top', () => {
  for (const [write, value, text] of [
    [count, 0, '0'],
    [count, 9999, '9999'],
    [count, 10_000, '10k'],
    [count, 999_499, '999k'],
    [count, 999_501, '1M'],
    [count, 1_234_567, '1.2M'],
    [count, null, '-'],
    [whole, 1_234_567, '1234567'],
    [whole, 12_345_678, '12M'],
    [rate, 0, '0'],
    [rate, 0.04, '0'],
    [rate, 0.5, '0.5'],
    [rate, 2, '2'],
    [rate, 12.4, '12'],
    [rate, null, '-'],
    [bytes, 512, '512B'],
    [bytes, 1023.9, '1K'],
    [bytes, 1536, '1.5K'],
    [bytes, 64 * 1024 * 1024, '64M'],
    [seconds, 0, '0'],
    [seconds, 0.000_000_1, '1us'],
    [seconds, 0.000_085, '85us'],
    [seconds, 0.0012, '1.2ms'],
    [seconds, 0.35, '350ms'],
    [seconds, 0.9999, '1s'],
    [seconds, 90, '90s'],
    [seconds, null, '-'],
    [percent, 0.256, '26%'],
    [percent, null, '-'],
    [age, 42.9, '42s'],
    [age, 303, '5m 3s'],
    [age, 7500, '2h 5m'],
    [age, 3 * 86_400 + 4 * 3600, '3d 4h'],
    [age, -1, '0s'],
  ] as const) {
    it(`write ${write.name}(${value}) as ${text}`, () => {
      assert.equal((write as (value: number | null) => string)(value), text);
    });
  }

  it('have at most 5 characters for values up to 9e14', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e14, noNaN: true }), (value) => {
        for (const write of [count, rate, bytes, seconds]) {
          assert.ok(write(value).length <= 5, `${write.name} ${value}: ${write(value)}`);
        }
      }),
    );
  });
});
