import type { ResolveSettings } from '../../config/types/cluster.ts';
import type { TcpAddress } from '../../core/address.ts';
import { messageOf } from '../../core/errors.ts';
import { Backoff } from '../../core/timing/backoff.ts';
import type { LoopWheel } from '../../core/timing/loop-wheel.ts';
import type { StartQueue } from '../../core/timing/start-queue.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FoundEndpoint, NameLookup } from '../../upstream/name-lookup.ts';

/** Min time between two lookups of a name, even if its TTL is shorter. */
const MIN_PERIOD_MS = 1000;
/** Max random reduction of a wait, as a fraction. It spreads out the lookups of many names. */
const JITTER = 0.1;

/** Counters of all names of a cluster. */
export interface LookupCounts {
  lookups: number;
  failures: number;
}

/** Tools that the lookups of all names share. */
export interface LookupTools {
  readonly wheel: Pick<LoopWheel, 'arm' | 'disarm'>;
  /** Limits concurrent lookups. */
  readonly queue: Pick<StartQueue, 'add' | 'remove' | 'release'>;
  /** Returns a number from 0 up to, but not including, 1. */
  readonly random: () => number;
}

interface NameWatchOptions {
  readonly address: TcpAddress;
  readonly settings: ResolveSettings;
  readonly lookup: Pick<NameLookup, 'find'>;
  readonly tools: LookupTools;
  /** Name of the cluster, for log lines. */
  readonly cluster: string;
  readonly log: Logger;
  /** Counters to increment. */
  readonly counts: LookupCounts;
  /** Called with the endpoints to use, and the number of unused addresses of the name. */
  readonly onFound: (endpoints: readonly FoundEndpoint[], leftOut: number) => void;
}

/** Resolves a name periodically. While lookups fail, the last result stays. */
export class NameWatch extends Timed {
  queuePlace = -1;
  /** Resolves after the first lookup, successful or not, or when the watch stops. */
  readonly first: Promise<void>;
  readonly #options: NameWatchOptions;
  readonly #backoff: Backoff;
  readonly #noteFirst: () => void;
  #isFirst = true;
  #stopped = false;
  #failing = false;

  constructor(options: NameWatchOptions) {
    super();
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: MIN_PERIOD_MS, maxMs: options.settings.intervalMs });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.first = promise;
    this.#noteFirst = () => resolve(undefined);
    options.tools.queue.add(this);
  }

  stop(): void {
    const { wheel, queue } = this.#options.tools;
    this.#stopped = true;
    wheel.disarm(this);
    queue.remove(this);
    this.#noteFirst();
  }

  override expire(): void {
    this.#options.tools.queue.add(this);
  }

  /** Looks up the name. Called when the queue has a place. */
  start(): void {
    void this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    const { address, settings, lookup, counts, tools, onFound } = this.#options;
    let waitMs: number;
    counts.lookups++;
    try {
      const { endpoints, omitted: leftOut, ttlMs, failure } = await lookup.find(address);
      if (this.#stopped) return;
      waitMs =
        failure === null
          ? this.#succeeded(Math.min(settings.intervalMs, Math.max(MIN_PERIOD_MS, ttlMs)))
          : this.#failed(failure);
      onFound(endpoints, leftOut);
    } catch (error) {
      if (this.#stopped) return;
      waitMs = this.#failed(messageOf(error));
    } finally {
      tools.queue.release();
    }
    tools.wheel.arm(this, this.#spread(waitMs));
    this.#isFirst = false;
    this.#noteFirst();
  }

  /**
   * Shortens a wait by a random time. The first wait may take any part of the period, to separate names that
   * start together.
   */
  #spread(waitMs: number): number {
    const part = this.#isFirst ? 1 : JITTER;
    return Math.max(MIN_PERIOD_MS, waitMs * (1 - part * this.#options.tools.random()));
  }

  #succeeded(waitMs: number): number {
    const { address, cluster, log } = this.#options;
    this.#backoff.reset();
    if (this.#failing) log.info({ cluster, host: address.host }, 'name resolves again');
    this.#failing = false;
    return waitMs;
  }

  /** Returns the wait before the next attempt, in milliseconds. */
  #failed(reason: string): number {
    const { address, cluster, log, counts } = this.#options;
    counts.failures++;
    if (!this.#failing) log.warn({ cluster, host: address.host, reason }, 'name does not resolve');
    this.#failing = true;
    return Math.max(MIN_PERIOD_MS, this.#backoff.next());
  }
}
