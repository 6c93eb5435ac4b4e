import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Bucket, ticksFor } from '../../../../../src/access/limits/table/bucket.ts';

const TICKS = 65_536;

function bucketOf(perSecond: number, burst: number): { bucket: Bucket; words: Int32Array } {
  const rate = { perSecond, burst };
  return { bucket: new Bucket(rate, ticksFor(rate)), words: new Int32Array(1) };
}

describe('a bucket', () => {
  it('admits its burst, then its rate', () => {
    const { bucket, words } = bucketOf(10, 50);
    let [taken, now] = [0, 1000];
    for (let index = 0; index < 1000; index++) if (bucket.take(words, 0, 1, now) === 0) taken++;
    assert.equal(taken, 50);
    for (; now < 11_000; now += 7) if (bucket.take(words, 0, 1, now) === 0) taken++;
    assert.ok(Math.abs(taken - 150) <= 1, String(taken));
  });

  it('is exact on average at a million units a second', () => {
    const { bucket, words } = bucketOf(1_000_000, 1000);
    let taken = 0;
    for (let now = 0; now < 1000; now += 0.0005) if (bucket.take(words, 0, 1, now) === 0) taken++;
    assert.ok(Math.abs(taken - 1_001_000) < 10_000, String(taken));
  });

  it('does not let one client use the fraction of a tick that another paid', () => {
    const rate = { perSecond: 131_072, burst: 1 };
    const bucket = new Bucket(rate, TICKS);
    const words = new Int32Array(2);
    for (let index = 0; index < 100_000; index++) bucket.charge(words, index & 1, 1, 0);
    const [first = 0, second = 0] = words;
    assert.ok(Math.abs(first - 25_000) < 1500 && Math.abs(second - 25_000) < 1500, words.join());
  });

  it('returns the wait until it has enough', () => {
    const { bucket, words } = bucketOf(2, 4);
    assert.equal(bucket.take(words, 0, 4, 0), 0);
    assert.equal(bucket.secondsOf(bucket.take(words, 0, 1, 0)), 0.5);
    assert.equal(bucket.secondsOf(bucket.take(words, 0, 3, 500)), 1);
  });

  it('is as full as before after units are returned', () => {
    const { bucket, words } = bucketOf(10, 5);
    assert.equal(bucket.take(words, 0, 3, 0), 0);
    bucket.refund(words, 0, 3, 0);
    assert.equal(words[0], 0);
    assert.equal(bucket.take(words, 0, 5, 0), 0);
  });

  it('goes into debt when it is charged, and pays it back', () => {
    const { bucket, words } = bucketOf(1024, 1024);
    assert.ok(bucket.charge(words, 0, 65_536, 0) > 0);
    assert.ok(bucket.debt(words, 0, 0, 62_000) > 0);
    assert.ok(bucket.debt(words, 0, 0, 63_001) <= 0);
  });

  it('keeps a debt finite, whatever a client sends at once', () => {
    const { bucket, words } = bucketOf(1, 1);
    for (let index = 0; index < 100; index++) bucket.charge(words, 0, 2 ** 31, 0);
    assert.ok(bucket.debt(words, 0, 0, 0) > 0);
    assert.ok(bucket.debt(words, 0, 0, 6 * 3600 * 1000) <= 0);
  });

  it('has ticks for rates of days', () => {
    const rate = { perSecond: 10 / 86_400, burst: 10 };
    const bucket = new Bucket(rate, ticksFor(rate));
    const words = new Int32Array(1);
    assert.equal(bucket.take(words, 0, 10, 0), 0);
    assert.ok(bucket.take(words, 0, 1, 8_600_000) > 0);
    assert.equal(bucket.take(words, 0, 1, 8_641_000), 0);
  });

  it('never admits more than its burst and rate, and refuses nothing within them', () => {
    const clicks = fc.array(fc.record({ waitMs: fc.nat(500), units: fc.integer({ min: 1, max: 20 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(
        clicks,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 20, max: 100 }),
        (list, perSecond, burst) => {
          // A power of two divides a second into whole ticks, so that the model can be exact.
          const rate = { perSecond: 2 ** (perSecond % 10), burst };
          const bucket = new Bucket(rate, TICKS);
          const words = new Int32Array(1);
          let [now, level] = [0, burst];
          for (const { waitMs, units } of list) {
            now += waitMs;
            level = Math.min(burst, level + (waitMs / 1000) * rate.perSecond);
            const isTaken = bucket.take(words, 0, units, now) === 0;
            // A tick of time is less than a hundredth of a unit.
            if (Math.abs(level - units) > 0.05) assert.equal(isTaken, level >= units);
            if (isTaken) level -= units;
          }
        },
      ),
    );
  });
});
