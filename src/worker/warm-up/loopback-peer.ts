import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { EAGAIN } from '../../sys/errno.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/** Larger than every head and frame of a warm-up, which come whole: they cross the loopback interface in one piece. */
export const SCRATCH_BYTES = 16 * 1024;

/**
 * One end of a connection in a warm-up. It is as plain as can be: Node's sockets would cost more than the proxy, and channels
 * of the proxy would spoil what V8 learns of their owners.
 */
export abstract class LoopbackPeer extends Watched {
  protected readonly loop: EventLoop;
  readonly #scratch: PinnedBuffer;

  constructor(loop: EventLoop, scratch: PinnedBuffer) {
    super();
    this.loop = loop;
    this.#scratch = scratch;
  }

  override ready(): void {
    const received = this.receive(this.#scratch);
    if (received === -EAGAIN) return;
    if (received <= 0 || !this.take(this.#scratch.bytes.subarray(0, received))) this.close();
  }

  override fault(): void {
    this.close();
  }

  close(): void {
    if (this.fd < 0) return;
    this.loop.poller.close(this);
    this.closed();
  }

  /** Takes what has come. Returns false if the connection is over. The bytes are valid before {@link send}. */
  protected abstract take(bytes: Buffer): boolean;

  protected closed(): void {
    // Most peers need not know.
  }

  protected send(bytes: Uint8Array): void {
    this.#scratch.bytes.set(bytes);
    this.transmit(this.#scratch, bytes.length);
  }

  /** Receives what has come. Returns the number of bytes; -EAGAIN if there are none; another number for the end. */
  protected receive(scratch: PinnedBuffer): number {
    return scratch.recv(this.fd, 0, SCRATCH_BYTES);
  }

  protected transmit(scratch: PinnedBuffer, length: number): void {
    scratch.send(this.fd, 0, length);
  }
}

/** Makes the memory that all peers of a thread send from and receive into. */
export function peerScratch(): PinnedBuffer {
  return new PinnedBuffer(SCRATCH_BYTES);
}
