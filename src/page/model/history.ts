import type { LiveFrame } from '../../protocol/admin/live.ts';
import { duration } from './format.ts';
import { NamedSeries } from './named-series.ts';

/** Seconds that points are kept. */
export const HISTORY_S = 600;
/** Max points. Frames that arrive faster than once a second displace older points. */
const MAX_POINTS = 700;
/** Max seconds between two frames. A longer time is a gap in the charts. */
const MAX_STEP_S = 5;
/** Max named series of a chart. The series of the others comes on top. */
const MAX_NAMED = 5;

const COLUMNS = [
  'sessions',
  'tunnels',
  'handshakes',
  'handshakeFailures',
  'messagesUpstream',
  'messagesDownstream',
  'bytesUpstream',
  'bytesDownstream',
  'handshakeP50',
  'handshakeP99',
  'residentBytes',
  'bufferedBytes',
  'bufferBudgetBytes',
] as const;

export type Column = (typeof COLUMNS)[number];
type Values = Readonly<Record<Column, number | null>>;

/** The points of the charts: values of frames, and rates between two frames. Bounded in time and number. */
export class History {
  /** Seconds since 1970. */
  readonly times: number[] = [];
  readonly columns: Readonly<Record<Column, (number | null)[]>>;
  /** Errors per second, by kind and reason. */
  readonly errors = new NamedSeries(MAX_NAMED, (a, b) => a + b);
  /** Seconds, by worker. */
  readonly lag = new NamedSeries(MAX_NAMED, Math.max);
  #last: LiveFrame | null = null;

  constructor() {
    const columns = COLUMNS.map((name): [Column, (number | null)[]] => [name, []]);
    this.columns = Object.fromEntries(columns) as Record<Column, (number | null)[]>;
  }

  /** Adds the points of a frame. Rates start with the second frame of a process. */
  add(frame: LiveFrame): void {
    const last = this.#last;
    this.#last = frame;
    const time = frame.at / 1000;
    const latest = this.times.at(-1);
    // A clock that was set back would mix up the points.
    if (latest !== undefined && time <= latest) {
      if (time > latest - MAX_STEP_S) return;
      this.#drop(this.times.length);
    } else if (latest !== undefined && time - latest > MAX_STEP_S) {
      this.#push(latest + 1, null, null, null);
    }
    const seconds = last === null || !isSameRun(last, frame) ? null : (frame.at - last.at) / 1000;
    const lag = new Map(frame.workers.map(({ name, lagSeconds }) => [name, lagSeconds]));
    this.#push(time, valuesOf(frame, last, seconds), errorRates(frame, last, seconds), lag);
    this.#trim(time - HISTORY_S);
  }

  /** The time that the points cover, such as `25s`. It grows to `10 minutes`. */
  get coverage(): string {
    const seconds = (this.times.at(-1) ?? 0) - (this.times[0] ?? 0);
    // The oldest point is up to a step younger than ten minutes.
    return seconds > HISTORY_S - MAX_STEP_S ? `${HISTORY_S / 60} minutes` : duration(Math.round(seconds));
  }

  #push(
    time: number,
    values: Values | null,
    errors: ReadonlyMap<string, number> | null,
    lag: ReadonlyMap<string, number> | null,
  ): void {
    this.times.push(time);
    for (const name of COLUMNS) this.columns[name].push(values?.[name] ?? null);
    this.errors.add(errors);
    this.lag.add(lag);
  }

  #trim(since: number): void {
    let count = Math.max(0, this.times.length - MAX_POINTS);
    while (count < this.times.length && this.times[count]! < since) count++;
    if (count > 0) this.#drop(count);
  }

  #drop(count: number): void {
    this.times.splice(0, count);
    for (const name of COLUMNS) this.columns[name].splice(0, count);
    this.errors.drop(count);
    this.lag.drop(count);
  }
}

/**
 * Returns whether counters continue from one frame to the other. A replaced or restarted process counts from
 * 0.
 */
export function isSameRun(last: LiveFrame, frame: LiveFrame): boolean {
  return last.pid === frame.pid && frame.uptimeSeconds >= last.uptimeSeconds && frame.at > last.at;
}

function valuesOf(frame: LiveFrame, last: LiveFrame | null, seconds: number | null): Values {
  const { gauges, counters, handshakeSeconds } = frame;
  const rate = (key: keyof LiveFrame['counters']): number | null =>
    rateOf(counters[key], last?.counters[key] ?? 0, seconds);
  return {
    sessions: gauges.sessions,
    tunnels: gauges.tunnels,
    handshakes: rate('sessions'),
    handshakeFailures: rate('handshakeFailures'),
    messagesUpstream: rate('messagesUpstream'),
    messagesDownstream: rate('messagesDownstream'),
    bytesUpstream: rate('bytesUpstream'),
    bytesDownstream: rate('bytesDownstream'),
    handshakeP50: handshakeSeconds?.p50 ?? null,
    handshakeP99: handshakeSeconds?.p99 ?? null,
    residentBytes: gauges.residentBytes,
    bufferedBytes: gauges.bufferedBytes,
    bufferBudgetBytes: gauges.bufferBudgetBytes,
  };
}

function errorRates(
  frame: LiveFrame,
  last: LiveFrame | null,
  seconds: number | null,
): ReadonlyMap<string, number> | null {
  if (seconds === null || last === null) return null;
  const before = new Map(last.errors.map((error) => [nameOf(error), error.count]));
  const rates = new Map<string, number>();
  for (const error of frame.errors) {
    const name = nameOf(error);
    const rate = rateOf(error.count, before.get(name) ?? 0, seconds);
    if (rate !== null && rate > 0) rates.set(name, rate);
  }
  return rates;
}

function nameOf({ kind, reason }: LiveFrame['errors'][number]): string {
  return reason === '' ? kind : `${kind} ${reason}`;
}

function rateOf(now: number, before: number, seconds: number | null): number | null {
  // Counts that only an ended worker had are gone, so a total may fall.
  return seconds === null ? null : Math.max(0, now - before) / seconds;
}
