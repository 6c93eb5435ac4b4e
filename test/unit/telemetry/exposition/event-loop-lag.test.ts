import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutPeriod } from '../../../../src/telemetry/exposition/event-loop-lag.ts';

/** The corrected value of a family with one sample. */
function corrected(name: string, value: number): number | undefined {
  const [sample] = withoutPeriod(name, [{ labels: {}, value }], 100);
  return sample?.value;
}

describe('the lag of the event loop', () => {
  it('does not include the period of the timer that measures it', () => {
    for (const part of ['min', 'max', 'mean', 'p50', 'p90', 'p99']) {
      const name = `nodejs_eventloop_lag_${part}_seconds`;
      assert.equal(corrected(name, 0.25), 0.15, name);
      assert.equal(corrected(name, 0.0999), 0, name);
    }
  });

  it('is 0 before anything has been measured', () => {
    assert.equal(corrected('nodejs_eventloop_lag_min_seconds', 2 ** 63 / 1e9), 0);
    assert.equal(corrected('nodejs_eventloop_lag_max_seconds', 0), 0);
  });

  it('is unchanged in families that no timer measures', () => {
    for (const name of ['nodejs_eventloop_lag_seconds', 'nodejs_eventloop_lag_stddev_seconds', 'process_x']) {
      assert.equal(corrected(name, 0.25), 0.25);
    }
  });
});
