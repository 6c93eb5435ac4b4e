import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpillPool } from '../../../../src/l4/raw/spill.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';

const KIB = 1024;

describe('the spill pool', { skip: unsupportedReason() ?? false }, () => {
  it('copies what did not fit, into the smallest buffer that holds it', () => {
    const pool = new SpillPool();
    const bytes = Buffer.from(Array.from({ length: 256 * KIB }, (_, index) => index % 251));
    for (const [length, size] of [
      [1, 4],
      [4 * KIB, 4],
      [4 * KIB + 1, 16],
      [64 * KIB, 64],
      [64 * KIB + 1, 256],
      [256 * KIB, 256],
    ] as const) {
      const start = bytes.length - length;
      const spill = pool.take(bytes, start, bytes.length);
      assert.deepEqual([spill.start, spill.end, spill.buffer.bytes.length], [0, length, size * KIB]);
      assert.ok(spill.buffer.bytes.subarray(0, length).equals(bytes.subarray(start)));
    }
  });

  it('gives a buffer again that came back, with what it is to hold now', () => {
    const pool = new SpillPool();
    const first = pool.take(Buffer.from('first'), 0, 5);
    first.start = 3;
    pool.give(first);
    const second = pool.take(Buffer.from('-second-'), 1, 7);
    assert.equal(second, first);
    assert.deepEqual([second.start, second.end], [0, 6]);
    assert.equal(second.buffer.bytes.toString('latin1', 0, 6), 'second');
    assert.notEqual(pool.take(Buffer.from('x'), 0, 1), first);
  });

  it('keeps only so much for later', () => {
    const pool = new SpillPool();
    const bytes = Buffer.alloc(256 * KIB);
    const spills = Array.from({ length: 12 }, () => pool.take(bytes, 0, bytes.length));
    for (const spill of spills) pool.give(spill);
    const again = new Set(Array.from({ length: 12 }, () => pool.take(bytes, 0, bytes.length)));
    assert.equal(spills.filter((spill) => again.has(spill)).length, 8);
  });

  it('refuses what is larger than any read', () => {
    const bytes = Buffer.alloc(SpillPool.largest + 1);
    assert.throws(() => new SpillPool().take(bytes, 0, bytes.length), /too many to spill/);
  });
});
