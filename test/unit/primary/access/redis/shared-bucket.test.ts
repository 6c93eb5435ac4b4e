import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedBucket } from '../../../../../src/primary/access/redis/shared-bucket.ts';

const PERIOD_MS = 200;
/** 10 units at 100 a second. */
const DEPTH = 100_000;

describe('a shared bucket', () => {
  it('claims the units taken, and the time since the last claim', () => {
    const bucket = new SharedBucket(DEPTH);
    const first = bucket.claim(30_000, 30_000, 1000, PERIOD_MS);
    assert.deepEqual([first.cost, first.over], [30_000, 200_000]);
    bucket.answer(30_000, 1000, 1002);
    const second = bucket.claim(10_000, 10_000, 1250, PERIOD_MS);
    assert.deepEqual([second.cost, second.over], [10_000, 250_000]);
  });

  it('sets the local level to the shared level at the time of the claim', () => {
    const bucket = new SharedBucket(DEPTH);
    bucket.claim(0, 0, 1000, PERIOD_MS);
    assert.equal(bucket.answer(50_000, 1000, 1020), 60_000);
    assert.equal(bucket.answer(-150_000, 1200, 1200), 0);
  });

  it('reports its known level, for a server that has lost it', () => {
    const bucket = new SharedBucket(DEPTH);
    assert.ok(bucket.claim(0, 0, 1000, PERIOD_MS).known < 0);
    bucket.answer(90_000, 1000, 1000);
    assert.equal(bucket.claim(0, 0, 1040, PERIOD_MS).known, 50_000);
  });

  it('never claims more than can have been taken', () => {
    const bucket = new SharedBucket(DEPTH);
    bucket.claim(0, 0, 1000, PERIOD_MS);
    assert.equal(bucket.claim(9_000_000, 50_000, 1200, PERIOD_MS).cost, 350_000);
  });

  it('merges only the remaining debt after an outage, at most one bucket', () => {
    const bucket = new SharedBucket(DEPTH);
    bucket.claim(0, 0, 1000, PERIOD_MS);
    bucket.answer(0, 1000, 1000);
    bucket.markRedisDown();
    const claim = bucket.claim(60_000_000, 70_000, 61_000, PERIOD_MS);
    assert.deepEqual([claim.cost, claim.over, claim.ceiling], [70_000, 0, DEPTH]);
    bucket.answer(DEPTH, 61_000, 61_000);
    assert.ok(bucket.claim(0, 0, 61_200, PERIOD_MS).ceiling > DEPTH);
  });

  it('is in use until it is full', () => {
    const bucket = new SharedBucket(DEPTH);
    assert.equal(bucket.isUsed(1000), false);
    bucket.answer(50_000, 1000, 1000);
    assert.equal(bucket.isUsed(1049), true);
    assert.equal(bucket.isUsed(1051), false);
  });
});
