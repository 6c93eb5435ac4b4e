import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQuantity, roundUpFromZero } from '../../../../src/core/units/quantity.ts';

describe('quantity', () => {
  it('splits a number from its unit', () => {
    assert.deepEqual(parseQuantity('1.5MiB'), { amount: 1.5, unit: 'MiB' });
    assert.deepEqual(parseQuantity('100/s'), { amount: 100, unit: '/s' });
    assert.deepEqual(parseQuantity('7'), { amount: 7, unit: '' });
  });

  it('refuses a sign, an exponent, and digits behind the unit', () => {
    for (const text of ['', 's', '-1s', '+1s', '1e3s', '.5s', '0x10', '1s2', ' 1s']) {
      assert.equal(parseQuantity(text), undefined, text);
    }
  });

  it('rounds to whole numbers, and only 0 to 0', () => {
    assert.deepEqual([0, 0.1, 0.4, 1.4, 1.5, 2].map(roundUpFromZero), [0, 1, 1, 1, 2, 2]);
  });
});
