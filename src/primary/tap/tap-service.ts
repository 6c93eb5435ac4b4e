import { setTimeout as delay } from 'node:timers/promises';
import type { EventFacts } from '../../protocol/admin/events.ts';
import type { TapCommand, TapFilter, TapOrder, TapReport } from '../../protocol/tap.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { TAP_RESULTS } from '../../telemetry/metrics/label-values.ts';
import { ReportPace } from './report-pace.ts';
import { RunningTap } from './running-tap.ts';
import type { TapSource } from './tap-reader.ts';

/** Settings of `admin` that affect taps. */
export interface TapSettings {
  readonly tap: 'off' | 'headers' | 'payload';
  /** Redaction rules of every tap. */
  readonly tapRedact: readonly string[];
  /** The token for commands; null for none. */
  readonly token: string | null;
}

/** A reader's request for a tap. */
export type TapRequest = Omit<TapOrder, 'id'>;

type TapResult = (typeof TAP_RESULTS)[number];

/** Why a tap is refused. */
export interface TapRefusal {
  readonly result: Exclude<TapResult, 'started'>;
  /** One sentence for the reader, with the remedy. */
  readonly message: string;
}

interface TapServiceParts {
  /** Returns the settings in force. */
  readonly settings: () => TapSettings;
  /** Sends a command to all workers, including draining ones. */
  readonly sendToWorkers: (command: TapCommand) => void;
  /** Reports an event to operators. */
  readonly report: (event: EventFacts) => void;
  readonly log: Logger;
  /** Milliseconds on a monotonic clock. */
  readonly now?: () => number;
}

interface Entry {
  readonly tap: RunningTap;
  readonly startedAt: number;
  /** The token that authorized the tap. */
  readonly token: string | null;
}

/** Max concurrent taps. */
export const MAX_TAPS = 8;
/** Rate limit of log lines about refused taps. */
const REFUSED_LINES = { burst: 20, everyMs: 1000 };
/** Max time that the shutdown waits for readers to receive the last lines. */
const MAX_LAST_WAIT_MS = 500;

/** Starts and ends taps in all workers, and forwards their lines to the readers. */
export class TapService {
  readonly counts = {
    results: new Map<TapResult, number>(TAP_RESULTS.map((result) => [result, 0])),
    bytes: 0,
    droppedLines: 0,
  };
  readonly #parts: TapServiceParts;
  readonly #now: () => number;
  readonly #refusedLines: LineLimit;
  readonly #pace = new ReportPace();
  readonly #taps = new Map<string, Entry>();
  #last = 0;

  constructor(parts: TapServiceParts) {
    const { now = () => performance.now() } = parts;
    this.#parts = parts;
    this.#now = now;
    this.#refusedLines = new LineLimit(now, REFUSED_LINES);
  }

  /** Number of running taps. */
  get active(): number {
    return this.#taps.size;
  }

  /** Taps that a new worker must start. */
  get orders(): readonly TapOrder[] {
    return Array.from(this.#taps.values(), ({ tap }) => tap)
      .filter(({ hasBegun }) => hasBegun)
      .map(({ order }) => order);
  }

  /**
   * Opens a tap, which starts when it gets its reader. A refusal is logged and counted.
   *
   * @param client IP address of the reader
   */
  open(wish: TapRequest, client: string): TapSource | TapRefusal {
    const refusal = this.#refusalOf(wish);
    if (refusal !== null) {
      this.refuse(refusal, client, wish.filter);
      return refusal;
    }
    const { tapRedact, token } = this.#parts.settings();
    const redact = [...new Set([...tapRedact, ...wish.redact])];
    const tap = new RunningTap({ ...wish, id: `tap-${++this.#last}`, redact }, client, {
      begun: (begun) => this.#begun(begun),
      ended: (ended, reason) => this.#ended(ended, reason),
      counted: (bytes, droppedLines) => {
        this.counts.bytes += bytes;
        this.counts.droppedLines += droppedLines;
      },
    });
    this.#taps.set(tap.order.id, { tap, startedAt: this.#now(), token });
    return tap;
  }

  /** Logs and counts a refusal. @param filter filter of the refused tap, if known */
  refuse({ result, message }: TapRefusal, client: string, filter: TapFilter = {}): void {
    this.#count(result);
    this.#parts.report({ kind: 'admin', reason: 'tap_refused', detail: REFUSAL_DETAILS[result], client });
    const more = this.#refusedLines.take();
    const fields = { client, reason: result, detail: message, filter, ...more };
    if (more !== null) this.#parts.log.warn(fields, 'tap refused');
  }

  /** Handles a worker's report. */
  receive(report: TapReport, worker: string): void {
    const { id, lines, taken } = report;
    // A report may arrive after its tap has ended.
    this.#taps.get(id)?.tap.take(report, worker, () => {
      this.#pace.pass(lines.length, () => void Atomics.add(taken, 0, 1));
    });
  }

  /** Ends the taps that new settings forbid. Called when the settings take effect. */
  apply(next: TapSettings): void {
    for (const { tap, token } of [...this.#taps.values()]) {
      const reason = token === next.token ? forbiddenBy(next, tap.order) : 'admin.token has changed';
      if (reason !== null) void tap.end(`the configuration was reloaded: ${reason}`);
    }
  }

  /** Ends all taps. Resolves when the readers have the reason, or after 500 ms. */
  async stop(reason: string): Promise<void> {
    if (this.#taps.size === 0) return;
    const ends = Array.from(this.#taps.values(), ({ tap }) => tap.end(reason));
    await Promise.race([Promise.all(ends), delay(MAX_LAST_WAIT_MS)]);
  }

  #refusalOf({ payload }: TapRequest): TapRefusal | null {
    const { tap } = this.#parts.settings();
    if (tap === 'off') {
      return { result: 'off', message: 'taps are off: set admin.tap to headers or payload, and reload' };
    }
    if (payload && tap !== 'payload') {
      const message = 'payloads are not shown: set admin.tap to payload and reload, or ask without payload';
      return { result: 'payload', message };
    }
    if (this.#taps.size < MAX_TAPS) return null;
    return { result: 'full', message: `${MAX_TAPS} taps are running: end one of them first` };
  }

  #begun({ order, client }: RunningTap): void {
    this.#parts.sendToWorkers({ type: 'tap_start', order });
    const { id, filter, sample, payload, maxPayloadBytes, redact } = order;
    this.#count('started');
    const shown = payload ? { maxPayloadBytes, redactRules: redact.length } : {};
    this.#parts.log.info({ tap: id, client, filter, sample, payload, ...shown }, 'tap started');
    const detail = `${payload ? 'payloads' : 'headers'} of ${described(filter, sample)}`;
    this.#parts.report({ kind: 'process', reason: 'tap_started', detail, client });
  }

  #ended(tap: RunningTap, reason: string): void {
    const { order, client, totals } = tap;
    const { id } = order;
    const entry = this.#taps.get(id);
    this.#taps.delete(id);
    // The client disconnected before the answer. Nobody was told about the tap.
    if (!tap.hasBegun) return;
    this.#parts.sendToWorkers({ type: 'tap_stop', id });
    const seconds = Math.round(this.#now() - (entry?.startedAt ?? 0)) / 1000;
    this.#parts.log.info({ tap: id, client, reason, seconds, ...totals }, 'tap ended');
    const detail = `${reason}, ${totals.lines} lines in ${Math.round(seconds)} s`;
    this.#parts.report({ kind: 'process', reason: 'tap_ended', detail, client });
  }

  #count(result: TapResult): void {
    this.counts.results.set(result, (this.counts.results.get(result) ?? 0) + 1);
  }
}

/** Reasons for events, which have no room for the remedy. */
const REFUSAL_DETAILS: Readonly<Record<TapRefusal['result'], string>> = {
  off: 'taps are off',
  payload: 'payloads are not shown',
  full: 'too many taps',
  token: 'no token, or a wrong one',
  parameters: 'bad parameters',
};

/** Returns why settings forbid a running tap; null if they allow it. */
function forbiddenBy({ tap, tapRedact }: TapSettings, { payload, redact }: TapOrder): string | null {
  if (tap === 'off') return 'admin.tap is off';
  if (payload && tap !== 'payload') return `admin.tap is ${tap}`;
  // The rules apply to handshakes too, so they matter even without payloads.
  return tapRedact.every((rule) => redact.includes(rule)) ? null : 'admin.tapRedact has new rules';
}

function described(filter: TapFilter, sample: number): string {
  const conditions = Object.entries(filter).map(([name, value]) => `${name} "${value}"`);
  const sessions = conditions.length === 0 ? 'all sessions' : `sessions with ${conditions.join(', ')}`;
  return sample === 1 ? sessions : `${Number((sample * 100).toPrecision(6))}% of ${sessions}`;
}
