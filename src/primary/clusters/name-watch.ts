import type { ResolveSettings } from '../../config/types/cluster.ts';
import type { TcpAddress } from '../../core/address.ts';
import { Backoff } from '../../core/timing/backoff.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FoundEndpoint, NameLookup } from '../../upstream/name-lookup.ts';

/** However short the records live, no name is looked up more often. */
const LEAST_MS = 1000;

export interface LookupCounts {
  lookups: number;
  failures: number;
}

interface NameWatchOptions {
  readonly address: TcpAddress;
  readonly settings: ResolveSettings;
  readonly lookup: Pick<NameLookup, 'find'>;
  readonly log: Logger;
  /** Where look-ups are counted. */
  readonly counts: LookupCounts;
  /** Gets the endpoints to use, and how many more the name has. */
  readonly onFound: (endpoints: readonly FoundEndpoint[], leftOut: number) => void;
}

/** A name that is looked up again and again. While it cannot be, what was found last stays. */
export class NameWatch {
  /** Resolves when it has been looked up for the first time, with whatever success. */
  readonly first: Promise<void>;
  readonly #options: NameWatchOptions;
  readonly #backoff: Backoff;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #failing = false;

  constructor(options: NameWatchOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: LEAST_MS, maxMs: options.settings.intervalMs });
    this.first = this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { address, settings, lookup, counts, onFound } = this.#options;
    let waitMs: number;
    counts.lookups++;
    try {
      const { endpoints, leftOut, ttlMs, failure } = await lookup.find(address);
      if (this.#stopped) return;
      waitMs =
        failure === null
          ? this.#succeeded(Math.min(settings.intervalMs, Math.max(LEAST_MS, ttlMs)))
          : this.#failed(failure);
      onFound(endpoints, leftOut);
    } catch (error) {
      if (this.#stopped) return;
      waitMs = this.#failed(messageOf(error));
    }
    this.#timer = setTimeout(() => void this.#look(), waitMs);
    this.#timer.unref();
  }

  #succeeded(waitMs: number): number {
    const { address, log } = this.#options;
    this.#backoff.reset();
    if (this.#failing) log.info({ host: address.host }, 'name resolves again');
    this.#failing = false;
    return waitMs;
  }

  /** Returns how long to wait before the next try. */
  #failed(reason: string): number {
    const { address, log, counts } = this.#options;
    counts.failures++;
    if (!this.#failing) log.warn({ host: address.host, reason }, 'name does not resolve');
    this.#failing = true;
    return Math.max(LEAST_MS, this.#backoff.next());
  }
}
