import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { EAGAIN } from '../../sys/errno.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/**
 * Larger than any head or frame of a warm-up. Each arrives whole: it crosses the loopback interface in one
 * piece.
 */
export const SCRATCH_BYTES = 16 * 1024;

/**
 * One end of a connection in a warm-up, as simple as possible. Node's sockets would cost more than the proxy,
 * and the proxy's own channels would spoil V8's type feedback about their owners.
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

  /** Handles received bytes, valid until {@link send}. Returns false to close the connection. */
  protected abstract take(bytes: Buffer): boolean;

  protected closed(): void {
    // Most peers do not need it.
  }

  protected send(bytes: Uint8Array): void {
    this.#scratch.bytes.set(bytes);
    this.transmit(this.#scratch, bytes.length);
  }

  /**
   * Receives bytes. Returns their number, -EAGAIN if none wait, or 0 or another negative number at the end.
   */
  protected receive(scratch: PinnedBuffer): number {
    return scratch.recv(this.fd, 0, SCRATCH_BYTES);
  }

  protected transmit(scratch: PinnedBuffer, length: number): void {
    scratch.send(this.fd, 0, length);
  }
}

/** Creates the memory shared by all peers of a thread for sending and receiving. */
export function peerScratch(): PinnedBuffer {
  return new PinnedBuffer(SCRATCH_BYTES);
}
