import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { PRIVATE_MODE } from '../recording-file.ts';

/** Max bytes buffered in memory before a write. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Bytes per write. */
const WRITE_BYTES = 1024 * 1024;
/** Approximate memory overhead of a buffered line. */
const LINE_BYTES = 64;
/** A chunk begins with the offset of the session's previous chunk and the length of its lines in bytes. */
const HEAD_BYTES = 16;
const NONE = -1;

interface Spooled {
  waiting: string[];
  /** Offset of the last chunk; -1 for none. */
  last: number;
}

/**
 * Sorts lines by session. Lines are stored in a file, in chunks linked to the session's previous chunk.
 * Memory grows only with the number of sessions.
 *
 * The file is unlinked at once, so it disappears with the process. Reads are many short synchronous calls,
 * because promises would take ten times as long.
 */
export class SessionSpool {
  readonly #descriptor: number;
  readonly #sessions = new Map<string, Spooled>();
  readonly #maxWaiting: number;
  #waitingBytes = 0;
  #end = 0;

  /** @param name an unused path in a folder with room for all lines */
  constructor(name: string, maxWaiting = MAX_WAITING_BYTES) {
    this.#descriptor = openSync(name, 'wx+', PRIVATE_MODE);
    this.#maxWaiting = maxWaiting;
    rmSync(name);
  }

  /** Sessions in the order of their first lines. */
  get sessions(): Iterable<string> {
    return this.#sessions.keys();
  }

  has(session: string): boolean {
    return this.#sessions.has(session);
  }

  add(session: string, line: string): void {
    let spooled = this.#sessions.get(session);
    if (spooled === undefined) this.#sessions.set(session, (spooled = { waiting: [], last: NONE }));
    spooled.waiting.push(line);
    this.#waitingBytes += line.length + LINE_BYTES;
    if (this.#waitingBytes > this.#maxWaiting) this.flush();
  }

  /** Writes all buffered lines to disk. Must be called before lines are read. */
  flush(): void {
    let parts: Buffer[] = [];
    let bytes = 0;
    for (const spooled of this.#sessions.values()) {
      if (spooled.waiting.length === 0) continue;
      const lines = Buffer.from(spooled.waiting.join('\n'));
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeDoubleLE(spooled.last, 0);
      head.writeDoubleLE(lines.length, 8);
      spooled.last = this.#end + bytes;
      spooled.waiting = [];
      parts.push(head, lines);
      bytes += HEAD_BYTES + lines.length;
      if (bytes < WRITE_BYTES) continue;
      this.#append(Buffer.concat(parts));
      parts = [];
      bytes = 0;
    }
    if (bytes > 0) this.#append(Buffer.concat(parts));
    this.#waitingBytes = 0;
  }

  /** Yields the lines of a session in order. */
  *lines(session: string): Generator<string> {
    const chunks: { readonly at: number; readonly length: number }[] = [];
    let at = this.#sessions.get(session)?.last ?? NONE;
    while (at !== NONE) {
      const head = this.#read(at, HEAD_BYTES);
      chunks.push({ at: at + HEAD_BYTES, length: head.readDoubleLE(8) });
      at = head.readDoubleLE(0);
    }
    for (const chunk of chunks.reverse()) {
      yield* this.#read(chunk.at, chunk.length).toString().split('\n');
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #append(bytes: Buffer): void {
    for (let written = 0; written < bytes.length;) {
      const left = bytes.length - written;
      written += writeSync(this.#descriptor, bytes, written, left, this.#end + written);
    }
    this.#end += bytes.length;
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let read = 0; read < length;) {
      const found = readSync(this.#descriptor, bytes, read, length - read, at + read);
      if (found === 0) throw new Error('the file of sorted lines has become shorter');
      read += found;
    }
    return bytes;
  }
}
