import type { ResolveSettings } from '../../config/types/cluster.ts';
import type { TcpAddress } from '../../core/address.ts';
import { messageOf } from '../../core/errors.ts';
import { Backoff } from '../../core/timing/backoff.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FoundEndpoint, NameLookup } from '../../upstream/name-lookup.ts';

/** Min time between two look-ups of a name, however short its TTL is. */
const MIN_PERIOD_MS = 1000;

export interface LookupCounts {
  lookups: number;
  failures: number;
}

interface NameWatchOptions {
  readonly address: TcpAddress;
  readonly settings: ResolveSettings;
  readonly lookup: Pick<NameLookup, 'find'>;
  readonly log: Logger;
  /** Counts look-ups and failures. */
  readonly counts: LookupCounts;
  /** Called with the endpoints to use, and the number of other addresses of the name. */
  readonly onFound: (endpoints: readonly FoundEndpoint[], leftOut: number) => void;
}

/** Looks up a name again and again. While that fails, the last result stays. */
export class NameWatch {
  /** Resolves when the first look-up is over, failed or not. */
  readonly first: Promise<void>;
  readonly #options: NameWatchOptions;
  readonly #backoff: Backoff;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #failing = false;

  constructor(options: NameWatchOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: MIN_PERIOD_MS, maxMs: options.settings.intervalMs });
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
          ? this.#succeeded(Math.min(settings.intervalMs, Math.max(MIN_PERIOD_MS, ttlMs)))
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

  /** Returns the time to wait before the next try, in milliseconds. */
  #failed(reason: string): number {
    const { address, log, counts } = this.#options;
    counts.failures++;
    if (!this.#failing) log.warn({ host: address.host, reason }, 'name does not resolve');
    this.#failing = true;
    return Math.max(MIN_PERIOD_MS, this.#backoff.next());
  }
}
