import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BODY_GRACE_MS, BodyPace } from '../../../../src/l7/http/body-pace.ts';

const RATE = 512;

describe('the pace of a request body', () => {
  it('is unlimited for 10 seconds', () => {
    const pace = new BodyPace(RATE, 1000);
    assert.equal(pace.timeLeft(1000, 0), BODY_GRACE_MS);
    assert.equal(pace.timeLeft(10_999, 1), 1);
    assert.equal(pace.timeLeft(11_000, 1), 0);
  });

  it('is the average rate from then on', () => {
    const pace = new BodyPace(RATE, 0);
    assert.equal(pace.timeLeft(20_000, RATE * 20 - 1), 0);
    assert.equal(pace.timeLeft(20_000, RATE * 21), 1000);
    assert.equal(pace.timeLeft(20_000, 1_000_000), (1_000_000 / RATE) * 1000 - 20_000);
  });

  it('excludes time in which sluice accepts no bytes', () => {
    const pace = new BodyPace(RATE, 0);
    pace.hold(9000);
    assert.equal(pace.timeLeft(500_000, 1), Infinity);
    pace.hold(600_000);
    pace.run(1_000_000);
    pace.run(1_000_500);
    assert.equal(pace.timeLeft(1_000_500, 1), 500);
    assert.equal(pace.timeLeft(1_001_000, 1), 0);
  });

  it('has no minimum at a rate of 0', () => {
    assert.equal(new BodyPace(0, 0).timeLeft(1e9, 0), Infinity);
  });
});
