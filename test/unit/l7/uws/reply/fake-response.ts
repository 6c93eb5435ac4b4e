import assert from 'node:assert/strict';
import type { UwsResponse } from '../../../../../src/l7/uws/reply/uws-response.ts';

const CORK_BUFFER = 16 * 1024;

/**
 * A response of uWS with a socket whose kernel buffer has as much room as a test says. Like uWS it takes a small
 * piece whole while corked, keeps what the kernel then refuses, and takes nothing more until that is gone.
 */
export class FakeResponse implements UwsResponse {
  room = Infinity;
  /** Bytes in the kernel: head as lines, body as text. */
  head = '';
  sent = 0;
  /** Taken from the reply, refused by the kernel. */
  kept = 0;
  done = false;
  closed = false;
  closesConnection = false;
  isRead = true;
  writes = 0;
  /** The latest piece of the body. */
  piece = '';
  /** Sizes of the chunks of a chunked body. */
  readonly chunks: number[] = [];
  #offset = 0;
  #corked: number | null = null;
  #onAborted: () => void = () => undefined;
  #onWritable: ((offset: number) => boolean) | null = null;

  stopReading(): void {
    this.#check();
    this.isRead = false;
  }

  cork(callback: () => void): void {
    this.#check();
    this.#corked = 0;
    callback();
    this.#uncork();
  }

  writeStatus(status: string): void {
    this.#check();
    this.head += `${status}\n`;
  }

  writeHeader(name: string, value: string | Uint8Array): void {
    this.#check();
    this.head += `${name}: ${typeof value === 'string' ? value : Buffer.from(value).toString('latin1')}\n`;
  }

  end(body: string | Uint8Array, closeConnection: boolean): void {
    this.#check();
    this.head += `[${Buffer.from(body).toString()}]\n`;
    this.closesConnection = closeConnection;
    this.done = true;
  }

  endWithoutBody(...rest: unknown[]): void {
    this.#check();
    assert.equal(rest.length, 0);
    this.done = true;
  }

  /** uWS keeps all of it: true where the kernel has what was before, and this, too, unless it waits in the cork. */
  write(chunk: Uint8Array): boolean {
    this.#check();
    this.writes++;
    this.piece = Buffer.from(chunk).toString();
    this.chunks.push(chunk.length);
    this.kept += chunk.length;
    const corked = this.#corked !== null && chunk.length <= CORK_BUFFER;
    const before = this.kept - chunk.length;
    if (corked && before === 0) return true;
    this.kept -= this.#kernel(this.kept);
    return this.kept === 0;
  }

  tryEnd(chunk: Uint8Array, totalSize: number): [boolean, boolean] {
    this.#check();
    assert.ok(chunk.length > 0);
    assert.ok(this.#corked !== null || this.#inCallback, 'uWS warns of writes that are not corked');
    this.writes++;
    this.piece = Buffer.from(chunk).toString();
    const taken = this.#take(chunk.length);
    this.#offset += taken;
    this.done = this.#offset === totalSize;
    assert.ok(this.#offset <= totalSize);
    return [taken === chunk.length, this.done];
  }

  getWriteOffset(): number {
    this.#check();
    return this.#offset;
  }

  onWritable(handler: (offset: number) => boolean): void {
    this.#check();
    this.#onWritable = handler;
  }

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
  }

  close(): void {
    this.#check();
    this.closed = true;
    this.#onAborted();
  }

  /** The client goes away. */
  abort(): void {
    this.closed = true;
    this.#onAborted();
  }

  /** The kernel has room for so much more and says so. */
  writable(room: number): void {
    this.room += room;
    this.#inCallback = true;
    if (!this.done) this.#onWritable?.(this.#offset);
    this.#inCallback = false;
  }

  #inCallback = false;

  #check(): void {
    assert.ok(
      !this.closed && (!this.done || this.#corked !== null),
      'uWS throws when a response is used after its end',
    );
  }

  #take(length: number): number {
    if (this.kept > 0) {
      this.kept -= this.#kernel(this.kept);
      if (this.kept > 0) return 0;
    }
    if (this.#corked === null) return this.#kernel(length);
    if (this.#corked + length <= CORK_BUFFER) {
      this.#corked += length;
      return length;
    }
    this.#uncork();
    return this.kept > 0 ? 0 : this.#kernel(length);
  }

  #uncork(): void {
    if (this.#corked !== null) this.kept += this.#corked - this.#kernel(this.#corked);
    this.#corked = null;
  }

  #kernel(length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.sent += taken;
    return taken;
  }
}
