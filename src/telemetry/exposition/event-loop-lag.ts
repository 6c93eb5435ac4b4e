import type { Sample } from './family.ts';

/** Matches the families of prom-client from Node's `monitorEventLoopDelay`, except the standard deviation. */
const MEASURED = /^nodejs_eventloop_lag_(?:min|max|mean|p\d+)_seconds$/;
/** The minimum of an empty histogram is 2^63 ns. */
const MAX_LAG_SECONDS = 1e9;

/**
 * Corrects the samples of a prom-client family if they are event loop lags. Node measures the time between
 * two expiries of a timer, so each value includes the timer's period. Uncorrected, an idle loop would show a
 * lag of one period.
 *
 * @param periodMs the timer's period
 */
export function withoutPeriod(name: string, samples: readonly Sample[], periodMs: number): readonly Sample[] {
  if (!MEASURED.test(name)) return samples;
  return samples.map((sample) => {
    const lag = sample.value - periodMs / 1000;
    return { ...sample, value: lag > 0 && lag < MAX_LAG_SECONDS ? lag : 0 };
  });
}
