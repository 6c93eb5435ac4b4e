import { messageOf } from '../../core/errors.ts';
import type { Destination } from './destination.ts';
import { countEntries, countEntriesOf, firstEntry } from './entries.ts';
import type { OutputFiles } from './output-files.ts';

/** Bytes per write, unless one batch of lines is longer. */
const CHUNK_BYTES = 256 * 1024;
/** Delay before retrying a write to a reader that does not read. */
const BUSY_RETRY_MS = 50;
/** Delay before retrying a failed write. */
const ERROR_RETRY_MS = 1000;
/** Time that lines wait for a failing destination before they are dropped and counted. */
const MAX_HOLD_MS = 2000;
const NEWLINE = 0x0a;
const BLANK = 0x20;
const NO_BYTES = Buffer.alloc(0);

interface WriterOptions {
  readonly files: Pick<OutputFiles, 'write'>;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Calls back after a delay. Returns a function that cancels the call. */
  readonly schedule: (delayMs: number, act: () => void) => () => void;
  /**
   * Called with the reason when writing starts to fail, and with null when it works again. May write a line
   * about it to the same writer.
   */
  readonly onChange: (problem: string | null) => void;
}

/**
 * Writes whole entries to a destination in order, without blocking. Counts entries that cannot be written.
 */
export class LineWriter {
  readonly #destination: Destination;
  readonly #options: WriterOptions;
  readonly #maxWaitingBytes: number;
  #dropped = 0;
  #problem: string | null = null;
  /** Time of the first failed write in a row. */
  #failingSince = 0;
  /** Waiting text, and its length. */
  #queue: string[] = [];
  #queued = 0;
  /**
   * The bytes being written. Those before {@link at} are written. Those before {@link until} belong in the
   * open file.
   */
  #chunk: Buffer | null = null;
  #at = 0;
  #until = 0;
  #isWriting = false;
  #isReopening = false;
  /** Whether the reader of a pipe is gone for good. */
  #isBroken = false;
  #cancelRetry: (() => void) | null = null;
  #closing: PromiseWithResolvers<boolean> | null = null;
  #isClosed = false;

  /** @param maxWaitingBytes max waiting text; entries above it are dropped and counted */
  constructor(destination: Destination, options: WriterOptions, maxWaitingBytes: number) {
    this.#destination = destination;
    this.#options = options;
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** Number of lost entries. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why writing fails now. Null if no failure is known. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Path of the file. Null for a descriptor. */
  get path(): string | null {
    return this.#destination.path;
  }

  /** Writes whole entries. */
  write(text: string): void {
    const waiting = this.#queued + (this.#chunk === null ? 0 : this.#chunk.length - this.#at);
    const isFull = waiting + text.length > this.#maxWaitingBytes;
    if (isFull || this.#isBroken || this.#closing !== null) {
      this.#dropped += countEntries(text);
      return;
    }
    this.#queue.push(text);
    this.#queued += text.length;
    if (!this.#isWriting && this.#cancelRetry === null) this.#writeNext();
  }

  /**
   * Reopens the file at its path, after log rotation moved the old file. Waiting entries go to the new file.
   *
   * @throws StartError if the file cannot be opened; the old file then stays in use
   */
  reopen(): void {
    if (this.#closing !== null) return;
    this.#destination.reopen();
    this.#isReopening = true;
    if (this.#isWriting) return;
    if (this.#chunk === null && this.#queue.length === 0) {
      this.#destination.makeRoom(NO_BYTES);
      this.#isReopening = false;
    }
    this.#tryNow();
  }

  /**
   * Writes the waiting entries, accepts no more, and closes the destination.
   *
   * @returns whether all entries were written in time; if not, an ordinary exit may hang on the write
   */
  close(timeoutMs: number): Promise<boolean> {
    if (this.#closing !== null) return this.#closing.promise;
    this.#closing = Promise.withResolvers();
    const { promise } = this.#closing;
    const cancel = this.#options.schedule(timeoutMs, () => this.#end(false));
    void promise.finally(cancel);
    if (!this.#isWriting) this.#tryNow();
    return promise;
  }

  #tryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#writeNext();
  }

  /** Writes the next bytes, or ends. */
  #writeNext(): void {
    // A report of trouble may have started a write already.
    if (this.#isWriting) return;
    this.#chunk ??= this.#nextChunk();
    if (this.#chunk === null) {
      if (this.#closing !== null) this.#end(true);
      return;
    }
    // Set before making room: a failed rotation is reported in a line, which must wait.
    this.#isWriting = true;
    if (this.#at === this.#until) {
      this.#until += this.#destination.makeRoom(this.#chunk.subarray(this.#at));
      this.#isReopening = false;
    }
    const bytes = this.#chunk.subarray(this.#at, this.#until);
    this.#options.files.write(this.#destination.fd, bytes, (error, written) => this.#written(error, written));
  }

  #nextChunk(): Buffer | null {
    if (this.#queue.length === 0) return null;
    let text = '';
    let taken = 0;
    while (taken < this.#queue.length && text.length < CHUNK_BYTES) text += this.#queue[taken++]!;
    this.#queue = this.#queue.slice(taken);
    this.#queued -= text.length;
    this.#at = 0;
    this.#until = 0;
    return Buffer.from(text);
  }

  #written(error: NodeJS.ErrnoException | null, written: number): void {
    this.#isWriting = false;
    if (this.#isClosed) {
      this.#destination.close();
      return;
    }
    if (error !== null) {
      this.#failed(error);
      return;
    }
    this.#destination.wrote(written);
    this.#at += written;
    if (this.#at === this.#chunk?.length) this.#chunk = null;
    if (written === 0) {
      this.#waitFor(BUSY_RETRY_MS);
      return;
    }
    this.#setProblem(null);
    this.#writeNext();
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN') {
      this.#waitFor(BUSY_RETRY_MS);
      return;
    }
    if (error.code === 'EPIPE') {
      // A reader that is gone does not come back.
      this.#isBroken = true;
      this.#dropAll();
      this.#setProblem(messageOf(error));
      if (this.#closing !== null) this.#end(true);
      return;
    }
    const now = this.#options.clock();
    if (this.#problem === null) this.#failingSince = now;
    if (this.#closing !== null) {
      this.#end(false);
      return;
    }
    if (this.#isReopening) this.#dropCutEntry();
    if (now - this.#failingSince >= MAX_HOLD_MS) this.#dropWhole();
    this.#waitFor(ERROR_RETRY_MS);
    this.#setProblem(messageOf(error));
  }

  #waitFor(delayMs: number): void {
    this.#cancelRetry = this.#options.schedule(delayMs, () => this.#tryNow());
  }

  #setProblem(problem: string | null): void {
    if ((problem === null) === (this.#problem === null)) return;
    this.#problem = problem;
    this.#options.onChange(problem);
  }

  /** Drops the rest of a cut entry, whose start is in the file being left. */
  #dropCutEntry(): void {
    const chunk = this.#chunk!;
    if (this.#isCut(chunk)) {
      this.#at += firstEntry(chunk.subarray(this.#at));
      this.#dropped++;
    }
    this.#until = this.#at;
    if (this.#at === chunk.length) this.#chunk = null;
  }

  /** Drops all entries, except the rest of a partly written one. */
  #dropWhole(): void {
    const chunk = this.#chunk;
    if (chunk !== null) {
      const end = this.#isCut(chunk) ? this.#at + firstEntry(chunk.subarray(this.#at)) : this.#at;
      this.#dropped += countEntriesOf(chunk.subarray(end));
      this.#until = end;
      this.#chunk = end === this.#at ? null : chunk.subarray(0, end);
    }
    for (const text of this.#queue) this.#dropped += countEntries(text);
    this.#queue = [];
    this.#queued = 0;
  }

  #dropAll(): void {
    this.#dropWhole();
    if (this.#chunk === null) return;
    this.#chunk = null;
    this.#dropped++;
  }

  #isCut(chunk: Buffer): boolean {
    const at = this.#at;
    return at > 0 && (chunk[at - 1] !== NEWLINE || chunk[at] === BLANK);
  }

  #end(isWritten: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#dropAll();
    // While a write is in progress, its descriptor's number must not be reused.
    if (!this.#isWriting) this.#destination.close();
    this.#closing?.resolve(isWritten);
  }
}
