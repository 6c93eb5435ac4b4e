import { MAX_MASKED_HEAD, writeMaskedFrame } from '../wire/frame-writer.ts';
import type { UpstreamSocket } from './upstream-socket.ts';

/** Frames are gathered in a slab of this size. */
const SLAB_SIZE = 64 * 1024;
/** A message from this size on goes out by itself at once: gathering would only copy and delay it. */
const LARGE = 16 * 1024;

/** Whose frames go through the outbox. */
export interface OutboxSender {
  readonly upstream: UpstreamSocket;
  /**
   * Called after a write that the kernel did not take whole: `upstream.writableLength` bytes wait. It may close
   * sessions, and so come back to the outbox.
   */
  upstreamBlocked(): void;
}

/**
 * Encodes frames towards the endpoints of one worker and writes them with as few system calls as it can. uWS
 * hands over all messages of one read of a client in a row, so frames are gathered for one sender until another
 * one comes or the turn of the event loop ends.
 *
 * The slab is used again as soon as the kernel has taken the bytes. What it has not taken keeps its place in
 * memory, and the outbox goes on behind it. What would only queue up behind that is copied out of the slab, so
 * that an endpoint that takes nothing holds one slab at most beside its bytes.
 */
export class Outbox {
  #slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
  /** Frames of the sender that have not been written yet: `slab[start, end)`. */
  #start = 0;
  #end = 0;
  #sender: OutboxSender | null = null;
  /** Whether the kernel has not taken some bytes of this slab yet. */
  #pinned = false;
  #scheduled = false;
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** Adds a frame; the payload is copied. Frames of one sender go out in the order in which they were added. */
  send(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): void {
    const size = payload.length + MAX_MASKED_HEAD;
    const large = size > LARGE;
    // Again, because a flush may have come back here with frames of another sender.
    while (this.#sender !== null && (this.#sender !== sender || large || this.#end + size > SLAB_SIZE)) {
      this.flush();
    }
    if (large) {
      const frame = Buffer.allocUnsafeSlow(size);
      const taken = write(
        sender.upstream,
        frame.subarray(0, writeMaskedFrame(frame, 0, opcode, payload, mask)),
      );
      if (!taken) sender.upstreamBlocked();
      return;
    }
    // Nothing is gathered any more, so what leaves no room waits for the kernel.
    if (this.#end + size > SLAB_SIZE) this.#renew();
    this.#sender = sender;
    this.#end = writeMaskedFrame(this.#slab, this.#end, opcode, payload, mask);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#onTurnEnd);
  }

  /** Writes what has been gathered. Closing a session calls it first, so that nothing is overtaken or lost. */
  flush(): void {
    const sender = this.#sender;
    if (sender === null) return;
    const { upstream } = sender;
    this.#sender = null;
    const frames = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    const queued = upstream.writableLength > 0;
    const taken = write(upstream, queued ? copyOf(frames) : frames);
    if (!taken && !queued) this.#pinned = true;
    if (!this.#pinned) this.#start = this.#end = 0;
    // At the very end: by then the outbox can be used again, and knows which of its bytes wait.
    if (!taken) sender.upstreamBlocked();
  }

  #renew(): void {
    this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#start = this.#end = 0;
    this.#pinned = false;
  }
}

/** Whether nothing waits for the kernel, so that the memory of the bytes can be used again. */
function write(upstream: UpstreamSocket, bytes: Buffer): boolean {
  if (upstream.destroyed || upstream.writableEnded) return true;
  upstream.write(bytes);
  return upstream.writableLength === 0;
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
