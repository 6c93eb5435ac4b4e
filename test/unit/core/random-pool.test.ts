import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomPool } from '../../../src/core/random-pool.ts';

describe('a random pool', () => {
  it('returns as many bytes as requested', () => {
    const pool = new RandomPool();
    for (let count = 1; count <= 64; count++) assert.equal(pool.take(count).length, count);
  });

  it('never returns a byte twice, by either method', () => {
    const pool = new RandomPool();
    let end = -1;
    let refills = 0;
    for (let turn = 0; turn < 5000; turn++) {
      const count = 1 + (turn % 64);
      const bytes = pool.take(count);
      // A pool that is filled again begins at its first byte.
      if (bytes.byteOffset === 0) refills++;
      else assert.equal(bytes.byteOffset, end);
      end = bytes.byteOffset + count;
      if (turn % 3 === 0 && count >= 16) {
        const before = Buffer.from(bytes);
        pool.int32();
        // The number came from behind them, unless the pool was filled again for it.
        if (bytes.equals(before)) end += 4;
        else end = 4;
      }
    }
    assert.ok(refills > 5);
  });

  it('repeats no byte when it is filled again', () => {
    const pool = new RandomPool();
    const seen = new Set<string>();
    for (let count = 0; count < 2000; count++) seen.add(pool.take(16).toString('hex'));
    assert.equal(seen.size, 2000);
  });

  it('returns numbers from the whole 32-bit range', () => {
    const pool = new RandomPool();
    let ones = 0;
    let zeros = 0;
    const seen = new Set<number>();
    for (let count = 0; count < 5000; count++) {
      const number = pool.int32();
      assert.equal(number, number | 0);
      ones |= number;
      zeros |= ~number;
      seen.add(number);
    }
    assert.equal(ones, -1);
    assert.equal(zeros, -1);
    assert.ok(seen.size > 4990);
  });
});
