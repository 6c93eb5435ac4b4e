import { messageOf } from '../../../core/errors.ts';
import { Backoff } from '../../../core/timing/backoff.ts';
import { BurstLimit } from '../../../core/timing/burst-limit.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { FetchedKeySet } from './key-set-request.ts';

/** The dependencies of a {@link RemoteKeySet}. Tests inject fakes. */
export interface KeySetContext {
  readonly log: Logger;
  readonly fetch: (url: string, signal: AbortSignal) => Promise<FetchedKeySet>;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
  /** Calls back once after a delay. Returns a function that cancels the call. */
  readonly schedule: (delayMs: number, callback: () => void) => () => void;
  /** Called with each changed set, before the callbacks of {@link RemoteKeySet.refresh}. */
  readonly onChange: (url: string, jwks: string) => void;
}

const DEFAULT_PERIOD_MS = 600_000;
const MIN_PERIOD_MS = 60_000;
const MAX_PERIOD_MS = 3_600_000;
/** Delays between fetches after a failure. */
const RETRY = { firstMs: 1000, maxMs: 60_000 };
/**
 * Max fetches that tokens can cause while the set stays the same. Few, because anyone can send a token with
 * an unknown key. The burst is above 1 because a key may rotate soon after a bad token.
 */
const REFRESH_LIMIT = { burst: 3, everyMs: 5000 };
const FAILURE_LINES = { burst: 3, everyMs: 60_000 };

/**
 * The key set of a URL. Fetches it at the start, periodically, and when a token names a key that the set
 * lacks.
 */
export class RemoteKeySet {
  readonly url: string;
  /** The URL without its query, which may contain a secret. */
  readonly label: string;
  readonly results = { success: 0, failure: 0 };
  readonly #context: KeySetContext;
  readonly #backoff = new Backoff(RETRY);
  #refreshLimit: BurstLimit;
  readonly #failureLines: BurstLimit;
  readonly #stop = new AbortController();
  #jwks: string | null = null;
  #fetchedAt: number | null = null;
  #waiting: (() => void)[] = [];
  /** The running fetch, or null. */
  #fetch: Promise<void> | null = null;
  #cancelNext: () => void = () => undefined;

  constructor(url: string, context: KeySetContext) {
    const { origin, pathname } = new URL(url);
    this.url = url;
    this.label = `${origin}${pathname}`;
    this.#context = context;
    this.#refreshLimit = new BurstLimit(context.now, REFRESH_LIMIT);
    this.#failureLines = new BurstLimit(context.now, FAILURE_LINES);
  }

  /** The last set; null before the first. It stays while the URL is down. */
  get jwks(): string | null {
    return this.#jwks;
  }

  /** Milliseconds since the last successful fetch, changed or not; null before the first. */
  get ageMs(): number | null {
    return this.#fetchedAt === null ? null : this.#context.now() - this.#fetchedAt;
  }

  /** Starts the first fetch. Resolves when it succeeded or failed. */
  start(): Promise<void> {
    return this.#begin();
  }

  /**
   * Fetches the set because a token names a key that the set lacks.
   *
   * @param done called after the fetch, or at once if tokens caused too many fetches lately
   */
  refresh(done: () => void): void {
    if (this.#fetch === null) {
      if (this.#stop.signal.aborted || this.#refreshLimit.take() === 0) {
        done();
        return;
      }
      void this.#begin();
    }
    this.#waiting.push(done);
  }

  /** Aborts all fetches, and runs the pending callbacks. */
  stop(): void {
    this.#stop.abort();
    this.#cancelNext();
    this.#release();
  }

  #begin(): Promise<void> {
    this.#cancelNext();
    this.#fetch ??= this.#run();
    return this.#fetch;
  }

  async #run(): Promise<void> {
    const { fetch, schedule } = this.#context;
    let waitMs: number;
    try {
      const fetched = await fetch(this.url, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      waitMs = this.#succeeded(fetched);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      waitMs = this.#failed(error);
    } finally {
      this.#fetch = null;
    }
    this.#cancelNext = schedule(waitMs, () => void this.#begin());
    this.#release();
  }

  #succeeded({ jwks, keys, maxAgeMs }: FetchedKeySet): number {
    const { log, now, onChange } = this.#context;
    this.results.success++;
    this.#backoff.reset();
    this.#fetchedAt = now();
    if (jwks !== this.#jwks) {
      this.#jwks = jwks;
      log.info({ url: this.label, keys }, 'key set fetched');
      // Only the issuer can change the set, so clients cannot exploit the reset. The issuer may rotate again
      // soon.
      this.#refreshLimit = new BurstLimit(now, REFRESH_LIMIT);
      onChange(this.url, jwks);
    }
    return Math.min(MAX_PERIOD_MS, Math.max(MIN_PERIOD_MS, maxAgeMs ?? DEFAULT_PERIOD_MS));
  }

  #failed(error: unknown): number {
    this.results.failure++;
    const lines = this.#failureLines.take();
    if (lines > 0) {
      const suppressed = lines > 1 ? { suppressed: lines - 1 } : {};
      const fields = {
        url: this.label,
        reason: messageOf(error),
        hasSet: this.#jwks !== null,
        ...suppressed,
      };
      this.#context.log.warn(fields, 'key set not fetched');
    }
    return this.#backoff.next();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
}
