import { MAX_MASKED_HEAD, applyMask, writeMaskedFrame, writeMaskedHead } from '../wire/frame-writer.ts';
import type { UpstreamSocket } from './upstream-socket.ts';

/** Frames are gathered in a slab of this size, one per worker. */
export const SLAB_SIZE = 256 * 1024;
/** A message from this size on goes out at once: gathering would only delay it. */
const LARGE = 16 * 1024;

/** Memory that frames are gathered in. */
interface Slab {
  readonly bytes: Buffer;
  /** Sends `bytes[start, end)`, or a part, on a socket's descriptor; a negative number where that cannot be. */
  send(fd: number, start: number, end: number): number;
}

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
 * Plain sockets are written by the system call itself, which costs half of what Node's streams do; they get
 * what the kernel did not take. The slab is free again after every write.
 */
export class Outbox {
  readonly #slab: Slab;
  /** The sender whose frames fill `slab[0, end)`. */
  #sender: OutboxSender | null = null;
  #end = 0;
  #scheduled = false;
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** @param slab of {@link SLAB_SIZE} bytes */
  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Adds a frame; the payload is copied. Frames of one sender go out in the order in which they were added. */
  send(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): void {
    const size = payload.length + MAX_MASKED_HEAD;
    // Again, because a flush may have come back here with frames of another sender.
    while (this.#sender !== null && (this.#sender !== sender || this.#end + size > SLAB_SIZE)) {
      this.flush();
    }
    if (size > SLAB_SIZE) {
      this.#sendInPieces(sender, opcode, payload, mask);
      return;
    }
    this.#sender = sender;
    this.#end = writeMaskedFrame(this.#slab.bytes, this.#end, opcode, payload, mask);
    if (size > LARGE) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#onTurnEnd);
    }
  }

  /** Writes what has been gathered. Closing a session calls it first, so that nothing is overtaken or lost. */
  flush(): void {
    const sender = this.#sender;
    if (sender === null) return;
    const end = this.#end;
    this.#sender = null;
    this.#end = 0;
    // At the very end, because the outbox may be used again from within.
    if (!this.#write(sender.upstream, end)) sender.upstreamBlocked();
  }

  /** A frame that the slab has no room for, one slab after the other, until the kernel takes no more. */
  #sendInPieces(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): void {
    const { bytes } = this.#slab;
    const { upstream } = sender;
    let at = writeMaskedHead(bytes, 0, opcode, payload.length, mask);
    let done = 0;
    let taken = true;
    while (taken && done < payload.length) {
      // Whole words, so that each piece begins with the first byte of the mask.
      const room = (SLAB_SIZE - at) & ~3;
      const piece = payload.subarray(done, done + room);
      bytes.set(piece, at);
      if (mask !== 0) applyMask(bytes, at, piece.length, mask);
      done += piece.length;
      taken = this.#write(upstream, at + piece.length);
      at = 0;
    }
    if (taken) return;
    const rest = copyOf(payload.subarray(done));
    if (mask !== 0) applyMask(rest, 0, rest.length, mask);
    if (rest.length > 0 && canWrite(upstream)) upstream.write(rest);
    sender.upstreamBlocked();
  }

  /** Writes `slab[0, end)`; whether the kernel has taken all of it. */
  #write(upstream: UpstreamSocket, end: number): boolean {
    if (!canWrite(upstream)) return true;
    let sent = 0;
    if (upstream.fd >= 0 && upstream.writableLength === 0) {
      sent = this.#slab.send(upstream.fd, 0, end);
      if (sent === end) return true;
    }
    // A negative number, too: the stream finds the same error, and says so in its way.
    upstream.write(copyOf(this.#slab.bytes.subarray(Math.max(0, sent), end)));
    return upstream.writableLength === 0;
  }
}

/** Its descriptor is its own as long as that holds. */
function canWrite(upstream: UpstreamSocket): boolean {
  return !upstream.destroyed && !upstream.writableEnded;
}

function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
