/** A model of how uWebSockets 20.66 writes a response, down to the bytes that the kernel gets. */
import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import type { UwsResponse } from '../../../src/l7/uws/reply/uws-response.ts';

const CORK_BYTES = 16 * 1024;
const RECORD_BYTES = 16 * 1024;
const RECORD_OVERHEAD = 22;

/** The kernel's buffer of one client, with as much room as a test says. */
class Kernel {
  room: number;
  /** All that a client can read, without TLS. */
  readonly taken: Buffer[] = [];

  constructor(room: number) {
    this.room = room;
  }

  send(bytes: Buffer): number {
    const length = this.take(bytes.length);
    this.taken.push(Buffer.from(bytes.subarray(0, length)));
    return length;
  }

  take(length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    return taken;
  }
}

/** OpenSSL without partial writes: a write that was refused must be repeated with the same bytes, and no fewer. */
class Tls {
  readonly #kernel: Kernel;
  #record: Buffer | null = null;
  #left = 0;
  /** Bytes of the refused write that have left. */
  #gone = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  send(bytes: Buffer): number {
    assert.ok(bytes.length >= this.#gone, 'a refused write is repeated with fewer bytes');
    for (;;) {
      if (this.#record !== null) {
        const again = bytes.subarray(this.#gone, this.#gone + this.#record.length);
        assert.ok(again.equals(this.#record), 'a refused record is repeated with other bytes');
        this.#left -= this.#kernel.take(this.#left);
        if (this.#left > 0) return 0;
        this.#kernel.taken.push(this.#record);
        this.#gone += this.#record.length;
        this.#record = null;
      }
      if (this.#gone === bytes.length) {
        this.#gone = 0;
        return bytes.length;
      }
      this.#record = Buffer.from(bytes.subarray(this.#gone, this.#gone + RECORD_BYTES));
      this.#left = this.#record.length + RECORD_OVERHEAD;
    }
  }
}

export class UwsModel implements UwsResponse {
  readonly kernel: Kernel;
  /** Whether uWS has called the response complete. */
  done = false;
  closed = false;
  /** The most that uWS has kept. */
  mostKept = 0;
  readonly #socket: Kernel | Tls;
  #kept = Buffer.alloc(0);
  /** The bytes in the cork buffer; null while nothing is corked. */
  #cork: Buffer[] | null = null;
  #waitsForWritable = false;
  #statusWritten = false;
  #isChunked = false;
  #hasLength = false;
  #offset = 0;
  #onAborted: (() => void) | null = null;
  #onWritable: ((offset: number) => boolean) | null = null;

  constructor(room: number, withTls: boolean) {
    this.kernel = new Kernel(room);
    this.#socket = withTls ? new Tls(this.kernel) : this.kernel;
  }

  /** The bytes that the client has been sent. */
  get wire(): Buffer {
    return Buffer.concat(this.kernel.taken);
  }

  /** The kernel calls the socket writable, if uWS waits for that. */
  writable(): void {
    if (!this.#waitsForWritable) return;
    this.#waitsForWritable = false;
    if (this.#onWritable === null) this.#put(Buffer.alloc(0), true);
    else this.#onWritable(this.#offset);
  }

  cork(callback: () => void): void {
    assert.equal(this.#cork, null);
    this.#cork = [];
    callback();
    this.#uncork(Buffer.alloc(0), false);
  }

  writeStatus(status: string): void {
    if (this.#statusWritten) return;
    this.#statusWritten = true;
    for (const text of ['HTTP/1.1 ', status, '\r\n']) this.#put(Buffer.from(text));
  }

  writeHeader(name: string, value: string | Uint8Array): void {
    this.writeStatus(`200 ${STATUS_CODES[200]!}`);
    for (const text of [name, ': ', value, '\r\n']) this.#put(Buffer.from(text));
  }

  write(chunk: Uint8Array): boolean {
    assert.ok(!this.done && chunk.length > 0);
    if (!this.#isChunked) {
      this.#writeMark();
      this.writeHeader('Transfer-Encoding', 'chunked');
      this.#isChunked = true;
    }
    for (const text of ['\r\n', chunk.length.toString(16), '\r\n']) this.#put(Buffer.from(text));
    return !this.#put(Buffer.from(chunk)).failed;
  }

  end(body: string | Uint8Array): void {
    if (this.#isChunked) {
      if (body.length > 0) this.write(Buffer.from(body));
      this.#put(Buffer.from('\r\n0\r\n\r\n'));
      this.#markDone();
    } else {
      this.#writeBody(Buffer.from(body), Buffer.byteLength(body), false);
    }
  }

  endWithoutBody(): void {
    this.#writeMark();
    this.#put(Buffer.from('\r\n'));
    this.#markDone();
  }

  tryEnd(chunk: Uint8Array, totalSize: number): [boolean, boolean] {
    assert.ok(!this.done && chunk.length > 0);
    return [this.#writeBody(Buffer.from(chunk), totalSize, true), this.done];
  }

  getWriteOffset(): number {
    assert.ok(!this.closed);
    return this.#offset;
  }

  onWritable(handler: (offset: number) => boolean): void {
    this.#onWritable = handler;
  }

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
  }

  close(): void {
    this.closed = true;
    this.#onAborted?.();
  }

  #writeBody(data: Buffer, totalSize: number, optionally: boolean): boolean {
    if (!this.#hasLength) {
      this.#writeMark();
      for (const text of ['Content-Length: ', String(totalSize), '\r\n\r\n']) this.#put(Buffer.from(text));
      this.#hasLength = true;
    }
    const { written, failed } = this.#put(data, optionally);
    this.#offset += written;
    if (this.#offset === totalSize) this.#markDone();
    return written === data.length && !failed;
  }

  #writeMark(): void {
    this.writeHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT');
    this.writeHeader('uWebSockets', '20');
  }

  #markDone(): void {
    this.done = true;
    this.#onAborted = null;
    this.#onWritable = null;
  }

  /** Writes as uWS does: kept bytes first, then into the cork buffer, or else to the socket. */
  #put(bytes: Buffer, optionally = false): { written: number; failed: boolean } {
    assert.equal(this.closed, false);
    if (this.#kept.length > 0) {
      this.#kept = this.#kept.subarray(this.#send(this.#kept));
      if (this.#kept.length > 0) {
        if (optionally) return { written: 0, failed: true };
        this.#keep(bytes);
        return { written: bytes.length, failed: true };
      }
    }
    if (bytes.length === 0) return { written: 0, failed: false };
    if (this.#cork !== null) {
      const corked = this.#cork.reduce((sum, piece) => sum + piece.length, 0);
      if (corked + bytes.length > CORK_BYTES) return this.#uncork(bytes, optionally);
      this.#cork.push(bytes);
      return { written: bytes.length, failed: false };
    }
    const written = this.#send(bytes);
    if (written === bytes.length) return { written, failed: false };
    if (optionally) return { written, failed: true };
    this.#keep(bytes.subarray(written));
    return { written: bytes.length, failed: true };
  }

  /** Drops `bytes`, optional or not, if the kernel does not take all of the cork buffer. */
  #uncork(bytes: Buffer, optionally: boolean): { written: number; failed: boolean } {
    if (this.#cork === null) return { written: 0, failed: false };
    const corked = Buffer.concat(this.#cork);
    this.#cork = null;
    if (corked.length > 0 && this.#put(corked).failed) return { written: 0, failed: true };
    return this.#put(bytes, optionally);
  }

  #keep(bytes: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, bytes]);
    this.mostKept = Math.max(this.mostKept, this.#kept.length);
  }

  #send(bytes: Buffer): number {
    const sent = this.#socket.send(bytes);
    if (sent < bytes.length) this.#waitsForWritable = true;
    return sent;
  }
}
