/** The parameters of admin commands: the command line and the admin server read them by the same rules. */
import { MAX_DURATION_MS, formatDuration, parseDuration } from '../core/units/duration.ts';
import { formatRate, parseRate } from '../core/units/rate.ts';

/** How one parameter is read. */
export interface CommandParameter {
  /** Returns connections per second, or milliseconds; undefined for a text that is no such value, or out of range. */
  readonly parse: (text: string) => number | undefined;
  /** What to write instead of a text that cannot be read. */
  readonly remedy: string;
}

/** Of every path that ends in `/drain`, and of `sluice drain`. A rate of 0 ends no connections. */
export const DRAIN_PARAMETERS = {
  rate: rateWithin(0, 1_000_000),
  deadline: durationUpTo(MAX_DURATION_MS),
  jitter: durationUpTo(MAX_DURATION_MS),
} as const;

export type DrainParameter = keyof typeof DRAIN_PARAMETERS;

/** `rate` of `/clusters/NAME/rebalance`. */
export const REBALANCE_RATE = rateWithin(1, 100_000);

/** `for` of `/debug/workers/NAME/freeze`. */
export const FREEZE_TIME = durationUpTo(600_000);

/** Reads rates of connections; a number without a unit is per second. */
function rateWithin(min: number, max: number): CommandParameter {
  const range = min === 0 ? `up to ${formatRate(max)}` : `from ${formatRate(min)} to ${formatRate(max)}`;
  return {
    parse: (text) => {
      const perSecond = parseRate(text, '/s');
      return perSecond !== undefined && perSecond >= min && perSecond <= max ? perSecond : undefined;
    },
    remedy: `write a number and a unit, such as 100/s, ${range}`,
  };
}

function durationUpTo(maxMs: number): CommandParameter {
  return {
    parse: (text) => {
      const ms = parseDuration(text);
      return ms !== undefined && ms <= maxMs ? ms : undefined;
    },
    remedy: `write a number and a unit, such as 5m, up to ${formatDuration(maxMs)}`,
  };
}
