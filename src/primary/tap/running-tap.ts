import type { TapOrder, TapReport } from '../../protocol/tap.ts';
import { doneLine, headerLine, lostLine } from './tap-lines.ts';
import type { TapReader, TapSource } from './tap-reader.ts';

/** Totals of a tap so far. */
interface TapTotals {
  /** Lines sent to the reader. */
  readonly lines: number;
  readonly bytes: number;
  /** Frames and reads that workers dropped. */
  readonly lostFrames: number;
  /** Sessions and tunnels that workers dropped. */
  readonly lostSessions: number;
  /** Lines dropped because the reader was too slow. */
  readonly droppedLines: number;
}

interface TapOwner {
  /** Called when the tap has its reader, so the workers may start. */
  begun(tap: RunningTap): void;
  /** Called once, when the tap is over. */
  ended(tap: RunningTap, reason: string): void;
  /** Called after lines were sent or dropped. */
  counted(bytes: number, droppedLines: number): void;
}

/** Max bytes that wait for a slow reader. Further lines are dropped. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** One tap. Merges the lines of all workers for one reader, and counts lost lines. */
export class RunningTap implements TapSource {
  readonly order: TapOrder;
  /** The reader's IP address. */
  readonly client: string;
  readonly #owner: TapOwner;
  readonly #totals = { lines: 0, bytes: 0, lostFrames: 0, lostSessions: 0, droppedLines: 0 };
  /**
   * Losses that are not yet reported to the reader, by worker. The next report that is not dropped carries
   * them.
   */
  readonly #unreported = new Map<string, { frames: number; sessions: number }>();
  #unreportedLines = 0;
  #waitingBytes = 0;
  #reader: TapReader | null = null;
  /** Why the tap is over; null while it runs. */
  #end: string | null = null;

  constructor(order: TapOrder, client: string, owner: TapOwner) {
    this.order = order;
    this.client = client;
    this.#owner = owner;
  }

  get totals(): TapTotals {
    return this.#totals;
  }

  /** Whether the workers may send lines. */
  get hasBegun(): boolean {
    return this.#reader !== null;
  }

  begin(reader: TapReader): void {
    this.#reader = reader;
    this.#write(headerLine(this.order));
    if (this.#end === null) this.#owner.begun(this);
    else void this.#finish(reader, this.#end);
  }

  leave(reason: string): void {
    this.#stop(reason);
  }

  /** Ends the tap from this side. Resolves when the reader has the reason, or has disconnected. */
  async end(reason: string): Promise<void> {
    if (!this.#stop(reason) || this.#reader === null) return;
    await this.#finish(this.#reader, reason);
  }

  /**
   * Sends a worker's lines to the reader, or drops them.
   *
   * @param onTaken called when the worker may send more
   */
  take({ lines, lostFrames, lostSessions }: TapReport, worker: string, onTaken: () => void): void {
    if (this.#reader === null || this.#end !== null) return;
    this.#totals.lostFrames += lostFrames;
    this.#totals.lostSessions += lostSessions;
    if (lostFrames > 0 || lostSessions > 0) this.#addUnreported(worker, lostFrames, lostSessions);
    const bytes = Buffer.from(lines);
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#drop(bytes);
      onTaken();
      return;
    }
    this.#reportDropped();
    if (bytes.length > 0) this.#writeBytes(bytes, onTaken);
    else onTaken();
    this.#reportLost();
  }

  #stop(reason: string): boolean {
    if (this.#end !== null) return false;
    this.#end = reason;
    this.#owner.ended(this, reason);
    return true;
  }

  #finish(reader: TapReader, reason: string): Promise<void> {
    this.#reportDropped();
    this.#reportLost();
    this.#write(doneLine(reason));
    return reader.end();
  }

  #addUnreported(worker: string, frames: number, sessions: number): void {
    const unreported = this.#unreported.get(worker) ?? { frames: 0, sessions: 0 };
    unreported.frames += frames;
    unreported.sessions += sessions;
    this.#unreported.set(worker, unreported);
  }

  #drop(bytes: Buffer): void {
    const lines = linesIn(bytes);
    this.#unreportedLines += lines;
    this.#totals.droppedLines += lines;
    this.#owner.counted(0, lines);
  }

  /** Reports dropped lines before the next lines. */
  #reportDropped(): void {
    if (this.#unreportedLines === 0) return;
    this.#write(lostLine(null, { frames: 0, sessions: 0, lines: this.#unreportedLines }));
    this.#unreportedLines = 0;
  }

  /** Reports a worker's losses after the lines of its report. */
  #reportLost(): void {
    for (const [worker, { frames, sessions }] of this.#unreported) {
      this.#write(lostLine(worker, { frames, sessions, lines: 0 }));
    }
    this.#unreported.clear();
  }

  #write(line: string): void {
    this.#writeBytes(Buffer.from(line), () => undefined);
  }

  #writeBytes(bytes: Buffer, onTaken: () => void): void {
    this.#waitingBytes += bytes.length;
    this.#totals.lines += linesIn(bytes);
    this.#totals.bytes += bytes.length;
    this.#owner.counted(bytes.length, 0);
    this.#reader?.write(bytes, () => {
      this.#waitingBytes -= bytes.length;
      if (this.#end === null) onTaken();
    });
  }
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}
