import { Slices } from '../../../core/timing/slices.ts';
import { doStepsInSlices, type Steps } from '../../../core/timing/steps.ts';
import { LiveChunk } from './live-chunk.ts';

/** Receives every frame, or skips it. */
export interface LiveReader {
  /** The client's address or network, for the limit per address. */
  readonly address: string;
  /** Offers a frame. A reader that is not ready skips it. */
  take(chunk: LiveChunk): void;
}

interface FeedOptions {
  /** Writes the JSON of a frame. */
  readonly write: () => Steps<string>;
  /** Max concurrent readers. */
  readonly maxReaders: number;
  /** Max readers per address. */
  readonly maxPerAddress: number;
  /** Called when a frame fails. */
  readonly onError: (error: unknown) => void;
  readonly timing?: FeedTiming;
}

interface FeedTiming {
  /** Returns milliseconds on a monotonic clock. */
  readonly now: () => number;
  /** Calls back periodically, until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  readonly slices: () => Pick<Slices, 'isOver' | 'next'>;
}

/** Period of the frames. */
const PERIOD_MS = 1000;
/** Max age of a frame. Slightly below the period, because timers are not exact. */
const FRESH_MS = PERIOD_MS - 100;

const TIMING: FeedTiming = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  slices: () => new Slices(setImmediate),
};

/** Creates a frame each second while there are readers, one for all of them. */
export class LiveFeed {
  readonly #options: FeedOptions;
  readonly #timing: FeedTiming;
  readonly #readers = new Set<LiveReader>();
  /** Number of readers by address. */
  readonly #byAddress = new Map<string, number>();
  /** Number of frames that readers skipped. */
  skipped = 0;
  #last: { readonly chunk: LiveChunk; readonly at: number } | null = null;
  /** The frame in progress. */
  #next: Promise<LiveChunk> | null = null;
  #frames = 0;
  #stop: (() => void) | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#timing = options.timing ?? TIMING;
  }

  /** Number of readers. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Returns why another reader from the address is refused; null if it is admitted. */
  refusal(address: string): string | null {
    const { maxReaders, maxPerAddress } = this.#options;
    if (this.#readers.size >= maxReaders) return `${maxReaders} clients are reading it`;
    const own = this.#byAddress.get(address) ?? 0;
    return own >= maxPerAddress ? `${maxPerAddress} clients of your address are reading it` : null;
  }

  /** Adds a reader. It gets a frame at once if the last one is recent, otherwise the next one. */
  join(reader: LiveReader): void {
    this.#readers.add(reader);
    this.#byAddress.set(reader.address, (this.#byAddress.get(reader.address) ?? 0) + 1);
    if (this.#isFresh()) reader.take(this.#last!.chunk);
    else if (this.#readers.size === 1) this.#tick();
    this.#stop ??= this.#timing.every(PERIOD_MS, () => this.#tick());
  }

  /** Removes a reader. */
  leave(reader: LiveReader): void {
    if (!this.#readers.delete(reader)) return;
    const left = (this.#byAddress.get(reader.address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(reader.address, left);
    else this.#byAddress.delete(reader.address);
    if (this.#readers.size > 0) return;
    this.#stop?.();
    this.#stop = null;
  }

  /** Resolves with a frame that is at most about a second old. Rejects if the frame fails. */
  frame(): Promise<LiveChunk> {
    if (this.#isFresh()) return Promise.resolve(this.#last!.chunk);
    this.#next ??= this.#make();
    return this.#next;
  }

  #isFresh(): boolean {
    return this.#last !== null && this.#timing.now() - this.#last.at < FRESH_MS;
  }

  /** Starts a frame, unless the previous one is still in progress. */
  #tick(): void {
    if (this.#next !== null) return;
    this.#next = this.#make();
    // `onError` has reported the error.
    this.#next.catch(() => undefined);
  }

  async #make(): Promise<LiveChunk> {
    const at = this.#timing.now();
    try {
      const text = await doStepsInSlices(this.#options.write(), this.#timing.slices());
      const chunk = new LiveChunk(text, ++this.#frames);
      this.#last = { chunk, at };
      for (const reader of this.#readers) reader.take(chunk);
      return chunk;
    } catch (error) {
      this.#options.onError(error);
      throw error;
    } finally {
      this.#next = null;
    }
  }
}
