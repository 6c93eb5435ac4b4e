import type { Sample } from './family.ts';

/** Matches the families of prom-client that Node's `monitorEventLoopDelay` measures, without the standard deviation. */
const MEASURED = /^nodejs_eventloop_lag_(?:min|max|mean|p\d+)_seconds$/;
/** The minimum of a histogram without values is 2^63 ns. */
const MAX_LAG_SECONDS = 1e9;

/**
 * Corrects the samples of a family of prom-client, if they are lags of the event loop. Node measures the time between two
 * expiries of a timer, so the timer's period is a part of each value: an idle loop has a lag of one period.
 *
 * @param periodMs of the timer
 */
export function withoutPeriod(name: string, samples: readonly Sample[], periodMs: number): readonly Sample[] {
  if (!MEASURED.test(name)) return samples;
  return samples.map((sample) => {
    const lag = sample.value - periodMs / 1000;
    return { ...sample, value: lag > 0 && lag < MAX_LAG_SECONDS ? lag : 0 };
  });
}
