import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { PRIVATE_MODE } from '../recording-file.ts';

/** Bytes that wait in memory for the disk. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Bytes of one write. */
const WRITE_BYTES = 1024 * 1024;
/** About what a waiting line costs beside its text. */
const LINE_BYTES = 64;
/** A chunk begins with the place of the session's chunk before it, and the bytes of its own lines. */
const HEAD_BYTES = 16;
const NONE = -1;

interface Spooled {
  waiting: string[];
  /** Where the last chunk is; -1 for none. */
  last: number;
}

/**
 * Sorts lines by session. They lie in a file in chunks, of which each knows the one before it: memory grows by the number of
 * sessions only. The file has no name, so it ends with the process. It is read by many short calls that wait: promises
 * would take ten times as long.
 */
export class SessionSpool {
  readonly #descriptor: number;
  readonly #sessions = new Map<string, Spooled>();
  readonly #maxWaiting: number;
  #waitingBytes = 0;
  #end = 0;

  /** @param name a free name in a folder with room for all lines */
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

  /** Brings all lines to the disk. Must be called before they are read. */
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

  /** Reads the lines of a session in their order. */
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
