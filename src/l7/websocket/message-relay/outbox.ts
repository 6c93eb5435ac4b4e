import {
  MAX_MASKED_HEAD,
  applyMask,
  writeMaskedFrame,
  writeMaskedHead,
} from '../../../wire/frames/frame-writer.ts';
import { OPCODE_CLOSE } from '../../../wire/frames/opcodes.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';

/** Frames are gathered in a slab of this size, one per worker. */
export const SLAB_SIZE = 256 * 1024;
/** A message from this size on goes out at once: gathering would only delay it. */
const LARGE = 16 * 1024;

/** Memory that frames are gathered in. */
export interface Slab {
  readonly bytes: Buffer;
  /** Sends `bytes[start, end)`, or a part, on a socket's descriptor; a negative number where that cannot be. */
  send(fd: number, start: number, end: number): number;
}

/** Whose frames go through the outbox. */
export interface OutboxSender {
  readonly upstream: UpstreamSocket;
  /** Max bytes that wait for the endpoint. */
  readonly upstreamBuffer: number;
  /**
   * Called after a write that the kernel did not take whole: `upstream.writableLength` bytes wait. It may close
   * sessions, and so come back to the outbox.
   *
   * @param following bytes of the same message that will wait too, unless `upstream` is closed before this returns
   */
  upstreamBlocked(following: number): void;
}

/**
 * Encodes frames towards the endpoints of one worker, and writes them when the turn of the event loop ends: one
 * write for all frames of a sender that came in a row, and all writes in a row. An endpoint that works through
 * what it gets is then woken once, and not again for every write: with short messages most of what a write costs
 * is waking who waits for it.
 *
 * Plain sockets are written by the system call itself, which costs half of what Node's streams do; they get
 * what the kernel did not take. The slab is free again after every flush.
 */
export class Outbox {
  readonly #slab: Slab;
  readonly #defer: (callback: () => void) => void;
  /** Whose frames lie in the slab, in order, and where those of each end; the first `#count` of either count. */
  readonly #senders: (OutboxSender | null)[] = [];
  readonly #ends: number[] = [];
  #count = 0;
  /** How much of the slab is filled. */
  #end = 0;
  #scheduled = false;
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /**
   * @param slab of {@link SLAB_SIZE} bytes
   * @param defer calls back once at the end of the loop's turn
   */
  constructor(slab: Slab, defer: (callback: () => void) => void) {
    this.#slab = slab;
    this.#defer = defer;
  }

  /**
   * Adds a frame of any kind; the payload is copied. Frames of one sender go out in the order in which they were added.
   *
   * A close frame always has room: a session has one, and the message before it may be larger than `upstreamBuffer`.
   *
   * @returns false if bytes wait for the endpoint and the frame would take them past the sender's `upstreamBuffer`:
   *   then nothing has been added
   */
  send(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): boolean {
    const size = payload.length + MAX_MASKED_HEAD;
    const waiting = sender.upstream.writableLength;
    if (waiting > 0 && waiting + size > sender.upstreamBuffer && opcode !== OPCODE_CLOSE) return false;
    // Again, because a flush may have come back here with more frames.
    while (this.#count > 0 && this.#end + size > SLAB_SIZE) this.flush();
    if (size > SLAB_SIZE) {
      this.#sendInPieces(sender, opcode, payload, mask);
      return true;
    }
    if (this.#count === 0 || this.#senders[this.#count - 1] !== sender) this.#senders[this.#count++] = sender;
    this.#end = writeMaskedFrame(this.#slab.bytes, this.#end, opcode, payload, mask);
    this.#ends[this.#count - 1] = this.#end;
    if (size > LARGE) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#defer(this.#onTurnEnd);
    }
    return true;
  }

  /** Writes what has been gathered. Closing a session calls it first, so that nothing is overtaken or lost. */
  flush(): void {
    const count = this.#count;
    let start = 0;
    let blocked: OutboxSender[] | null = null;
    for (let index = 0; index < count; index++) {
      const sender = this.#senders[index]!;
      const end = this.#ends[index]!;
      this.#senders[index] = null;
      if (!this.#write(sender.upstream, start, end)) (blocked ??= []).push(sender);
      start = end;
    }
    this.#count = 0;
    this.#end = 0;
    // At the very end, because the outbox may be used again from within.
    if (blocked !== null) for (const sender of blocked) sender.upstreamBlocked(0);
  }

  /**
   * Sends a frame that is larger than the slab, one slab after the other. The sender hears how much is left before it is
   * queued: a sender that is closed then costs no copy.
   */
  #sendInPieces(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): void {
    const { bytes } = this.#slab;
    const { upstream } = sender;
    let at = writeMaskedHead(bytes, 0, opcode, payload.length, mask);
    let done = 0;
    let blocked = false;
    while (done < payload.length && canWrite(upstream)) {
      // Whole words, so that each piece begins with the first byte of the mask.
      const room = (SLAB_SIZE - at) & ~3;
      const piece = payload.subarray(done, done + room);
      bytes.set(piece, at);
      if (mask !== 0) applyMask(bytes, at, piece.length, mask);
      done += piece.length;
      const taken = this.#write(upstream, 0, at + piece.length);
      at = 0;
      if (taken || blocked) continue;
      blocked = true;
      sender.upstreamBlocked(payload.length - done);
      // The next piece takes the slab, and closed sessions may have left frames in it.
      this.flush();
    }
    if (blocked) sender.upstreamBlocked(0);
  }

  /** Writes `slab[start, end)`; whether the kernel has taken all of it. */
  #write(upstream: UpstreamSocket, start: number, end: number): boolean {
    if (!canWrite(upstream)) return true;
    let sent = 0;
    if (upstream.fd >= 0 && upstream.writableLength === 0) {
      sent = this.#slab.send(upstream.fd, start, end);
      if (sent === end - start) return true;
    }
    // A negative number, too: the stream finds the same error, and says so in its way.
    upstream.writeCopy(this.#slab.bytes.subarray(start + Math.max(0, sent), end));
    return upstream.writableLength === 0;
  }
}

/** Its descriptor is its own as long as that holds. */
function canWrite(upstream: UpstreamSocket): boolean {
  return !upstream.destroyed && !upstream.writableEnded;
}
