import { EINTR } from '../errno.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import type { OpenSsl } from '../openssl-functions.ts';

/** Room for a record of 16 KiB and 600 answers to KeyUpdate requests. */
const BUFFER_BYTES = 32 * 1024;

/**
 * Collects OpenSSL's output on a connection whose socket is full. OpenSSL writes to memory instead, so its
 * writes never block. It costs up to 60 KiB and a copy: use it only if the connection could not be read
 * otherwise.
 */
export class OutputBuffer {
  /** Bytes of the blocked write that are encrypted in the buffer. */
  payload = 0;
  readonly #calls: OpenSsl;
  readonly #stream: number;
  /** The memory that OpenSSL writes to. */
  readonly #memory: number;
  readonly #buffer = new PinnedBuffer(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  /**
   * Redirects OpenSSL's output.
   *
   * @param stream address of an `SSL`
   * @throws Error if memory runs out
   */
  constructor(calls: OpenSsl, stream: number) {
    this.#calls = calls;
    this.#stream = stream;
    this.#memory = calls.newMemory();
    if (this.#memory === 0) throw new Error('TLS: out of memory for output');
    calls.setOutput(stream, this.#memory);
  }

  /** Collects OpenSSL's output. Returns false if the buffer is full. */
  collect(): boolean {
    const room = BUFFER_BYTES - this.#end;
    if (room === 0) return false;
    const place = addressWithin(this.#buffer, this.#end, BUFFER_BYTES);
    this.#end += Math.max(0, this.#calls.readMemory(this.#memory, place, room));
    return this.#end < BUFFER_BYTES;
  }

  /** Sends as much as possible. Returns 0 once all is sent; a negative error number: -EAGAIN without room. */
  flush(fd: number): number {
    for (;;) {
      this.collect();
      if (this.#start === this.#end) return 0;
      const sent = this.#buffer.send(fd, this.#start, this.#end);
      if (sent < 0 && sent !== -EINTR) return sent;
      this.#start += Math.max(0, sent);
      if (this.#start === this.#end) this.clear();
    }
  }

  /** Drops the collected output. */
  clear(): void {
    this.#start = this.#end = 0;
  }

  /**
   * Makes OpenSSL write to the socket again. All bytes must have been sent.
   *
   * @throws Error if OpenSSL fails, because bytes would be lost
   */
  close(fd: number): void {
    const isDone = this.#calls.setOutputDescriptor(this.#stream, fd) === 1;
    if (!isDone) throw new Error('TLS: OpenSSL did not return to its socket');
    this.free();
  }

  /** Frees the buffer at once. OpenSSL frees its own memory. */
  free(): void {
    this.#buffer.free();
  }
}
