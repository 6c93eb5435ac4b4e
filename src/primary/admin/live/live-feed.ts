import { Slices } from '../../../core/timing/slices.ts';
import { doStepsInSlices, type Steps } from '../../../core/timing/steps.ts';
import { LiveChunk } from './live-chunk.ts';

/** Who gets every frame, or misses it. */
export interface LiveReader {
  /** The client's address or network, for the limit of each. */
  readonly address: string;
  /** Offers a frame, which a reader that is not ready for it leaves out. */
  take(chunk: LiveChunk): void;
}

interface FeedOptions {
  /** Writes the JSON of a frame. */
  readonly write: () => Steps<string>;
  /** Max readers at a time. */
  readonly maxReaders: number;
  /** Max readers of one address. */
  readonly maxPerAddress: number;
  /** Called when a frame could not be made. */
  readonly onError: (error: unknown) => void;
  readonly timing?: FeedTiming;
}

interface FeedTiming {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Calls back in each period until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  readonly slices: () => Pick<Slices, 'isOver' | 'next'>;
}

/** Period of the frames. */
const PERIOD_MS = 1000;
/** Timers fire a little early or late. */
const FRESH_MS = PERIOD_MS - 100;

const TIMING: FeedTiming = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  slices: () => new Slices(setImmediate),
};

/** Makes a frame each second while somebody reads, one for all readers. */
export class LiveFeed {
  readonly #options: FeedOptions;
  readonly #timing: FeedTiming;
  readonly #readers = new Set<LiveReader>();
  /** Number of readers by address. */
  readonly #byAddress = new Map<string, number>();
  /** Frames that readers have left out. */
  skipped = 0;
  #last: { readonly chunk: LiveChunk; readonly at: number } | null = null;
  /** The frame that is being made. */
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

  /** Returns why another reader of an address is not admitted; null if it is. */
  refusal(address: string): string | null {
    const { maxReaders, maxPerAddress } = this.#options;
    if (this.#readers.size >= maxReaders) return `${maxReaders} clients read it`;
    const own = this.#byAddress.get(address) ?? 0;
    return own >= maxPerAddress ? `${maxPerAddress} clients of your address read it` : null;
  }

  /** Adds a reader, which gets a frame of the last second at once, or else the next. */
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

  /** Resolves with a frame that is at most about a second old; rejects if none can be made. */
  frame(): Promise<LiveChunk> {
    if (this.#isFresh()) return Promise.resolve(this.#last!.chunk);
    this.#next ??= this.#make();
    return this.#next;
  }

  #isFresh(): boolean {
    return this.#last !== null && this.#timing.now() - this.#last.at < FRESH_MS;
  }

  /** Begins a frame, unless the one before takes longer than a period. */
  #tick(): void {
    if (this.#next !== null) return;
    this.#next = this.#make();
    // The error has been told.
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
