import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paceOf } from '../../../../src/primary/workers/ending.ts';

const drain = { rate: 100, deadlineMs: 1, jitterMs: 7 };
const counts = [
  { sessions: 600, tunnels: 100 },
  { sessions: 0, tunnels: 300 },
];

describe('the pace of the end of all workers', () => {
  it("is a drain's pace if all sessions end within the grace period", () => {
    const pace = paceOf({ graceMs: 60_000, drain, successors: null }, counts);
    assert.deepEqual(pace, { rate: 100, deadlineMs: 60_000, jitterMs: 7 });
  });

  it('is faster if the grace period is too short, with a tenth of it to spare', () => {
    assert.equal(paceOf({ graceMs: 1000, drain, successors: null }, counts)?.rate, 600 / 0.9);
  });

  it('counts tunnels only after a takeover: otherwise they have the whole grace period', () => {
    assert.equal(paceOf({ graceMs: 1000, drain, successors: 'process' }, counts)?.rate, 1000 / 0.9);
  });

  it('is null without a grace period, or without a drain', () => {
    assert.equal(paceOf({ graceMs: 0, drain, successors: null }, counts), null);
    assert.equal(paceOf({ graceMs: 1000, drain: null, successors: null }, counts), null);
  });
});
