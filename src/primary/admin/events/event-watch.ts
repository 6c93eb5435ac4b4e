import type { EventFacts } from '../../../protocol/admin/events.ts';
import type { KeySets } from '../../access/key-sets/key-sets.ts';
import type { RedisServices } from '../../access/redis/redis-services.ts';
import type { LiveConfig } from '../../control/live-config.ts';
import type { Supervisor } from '../../workers/supervisor.ts';

/** The parts that are polled. */
interface WatchedParts {
  readonly supervisor: {
    readonly slots: readonly Pick<Supervisor['slots'][number], 'name'>[];
    readonly leftBehind: Pick<Supervisor['leftBehind'], 'total'>;
  };
  readonly keySets: { readonly all: readonly Pick<KeySets['all'][number], 'label' | 'results'>[] };
  readonly redis: Pick<RedisServices, 'state'>;
  readonly liveConfig: Pick<LiveConfig, 'certificates'>;
  /** Returns the number of lost log lines. */
  readonly droppedLines: () => number;
  readonly report: (event: EventFacts, worker?: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const POLL_MS = 1000;
/** Number of polls without an answer before Redis counts as lost, if it was never up. */
const MAX_POLLS_DOWN = 5;
/** Days before a certificate's expiry that cause an event. 0 is the expiry itself. */
const WARN_DAYS = [21, 7, 1, 0];
const DAY_SECONDS = 86_400;

/** Polls once a second for events that the process only counts where they happen. */
export class EventWatch {
  readonly #parts: WatchedParts;
  /** Counts of the last poll, by name. */
  #counts = new Map<string, number>();
  /** Number of warnings that were due, by listener and certificate. */
  #warned = new Map<string, number>();
  #redis: 'unknown' | 'up' | 'down' = 'unknown';
  #pollsDown = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: WatchedParts) {
    this.#parts = parts;
  }

  /** Starts polling. */
  start(): void {
    this.#timer = setInterval(() => this.poll(), POLL_MS).unref();
  }

  /** Stops polling. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Reports what has happened since the last poll. */
  poll(): void {
    this.#pollCounts();
    this.#pollRedis();
    this.#pollCertificates();
  }

  #pollCounts(): void {
    const { supervisor, keySets, droppedLines, report } = this.#parts;
    const counts = new Map<string, number>();
    const grown = (name: string, count: number): number => {
      counts.set(name, (counts.get(name) ?? 0) + count);
      return count - (this.#counts.get(name) ?? 0);
    };
    if (grown('lines', droppedLines()) > 0) {
      report({ kind: 'process', reason: 'log_lines_lost', detail: 'the output is not read fast enough' });
    }
    for (const { name } of supervisor.slots) {
      const key = `stuck ${name}`;
      // A worker's count survives its removal by a reload. Do not report it when the worker returns.
      const isKnown = this.#counts.has(key);
      if (grown(key, supervisor.leftBehind.total(name)) > 0 && isKnown) {
        report({ kind: 'worker', reason: 'stuck', detail: 'the event loop is blocked' }, name);
      }
    }
    for (const { label, results } of keySets.all) {
      // Sets whose URLs differ only in their queries share a label.
      if (counts.has(`keys ${label}`)) continue;
      if (grown(`keys ${label}`, results.failure) > 0) {
        report({ kind: 'process', reason: 'key_set_failed', detail: `${label} cannot be fetched` });
      }
    }
    this.#counts = counts;
  }

  #pollRedis(): void {
    const { redis, report } = this.#parts;
    const { state } = redis;
    if (state === null) {
      this.#redis = 'unknown';
      this.#pollsDown = 0;
      return;
    }
    if (state.isUp) {
      if (this.#redis === 'down')
        report({ kind: 'process', reason: 'redis_back', detail: 'Redis answers again' });
      this.#redis = 'up';
      this.#pollsDown = 0;
      return;
    }
    this.#pollsDown++;
    const isLost = this.#redis === 'up' || (this.#redis === 'unknown' && this.#pollsDown >= MAX_POLLS_DOWN);
    if (!isLost) return;
    this.#redis = 'down';
    report({ kind: 'process', reason: 'redis_lost', detail: 'Redis does not answer' });
  }

  #pollCertificates(): void {
    const { liveConfig, report, now = Date.now } = this.#parts;
    const warned = new Map<string, number>();
    for (const { listener, certificate, notAfter } of liveConfig.certificates) {
      const leftDays = (notAfter - now() / 1000) / DAY_SECONDS;
      const due = WARN_DAYS.filter((days) => leftDays <= days).length;
      const key = `${listener}\n${certificate}\n${notAfter}`;
      warned.set(key, due);
      if (due <= (this.#warned.get(key) ?? 0)) continue;
      const end = new Date(notAfter * 1000).toISOString();
      report({
        kind: 'process',
        reason: leftDays <= 0 ? 'certificate_ended' : 'certificate_ends',
        detail: `${certificate}: ${end}`,
        listener,
      });
    }
    this.#warned = warned;
  }
}
