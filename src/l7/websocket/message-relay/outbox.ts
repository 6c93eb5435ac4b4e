import {
  MAX_MASKED_HEAD_BYTES,
  applyMask,
  writeMaskedFrame,
  writeMaskedHead,
} from '../../../wire/frames/frame-writer.ts';
import { OPCODE_CLOSE } from '../../../wire/frames/opcodes.ts';
import type { Slab } from '../../buffers/slab.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';

/** Size of the slab. Each worker has one. */
export const SLAB_BYTES = 256 * 1024;
/** Max size of a frame that is delayed to be combined with others. Larger frames would gain nothing. */
const MAX_GATHERED_BYTES = 16 * 1024;

/** A session that sends its frames through the outbox. */
export interface OutboxSender {
  readonly upstream: UpstreamSocket;
  /** Max bytes buffered for the endpoint. */
  readonly upstreamBuffer: number;
  /**
   * Called after a write that the kernel did not take completely: `upstream.writableLength` bytes are
   * buffered. The sender may close sessions, and use the outbox again.
   *
   * @param following bytes of the same message that will also wait, unless `upstream` is closed before this
   * returns
   */
  upstreamBlocked(following: number): void;
}

/**
 * Encodes the frames to the endpoints of one worker, and writes them at the end of the loop's turn.
 * Consecutive frames of one sender take one write, and all writes run in a row. So each endpoint is woken
 * once: for short messages, waking the reader is most of a write's cost.
 *
 * Plain sockets are written directly by system call, at half the cost of a write through Node's streams. The
 * socket queues the bytes that the kernel did not take. The slab is free again after each flush.
 */
export class Outbox {
  readonly #slab: Slab;
  readonly #defer: (callback: () => void) => void;
  /**
   * Senders of the frames in the slab, and the ends of their frames. Only the first `#count` entries of each
   * are valid.
   */
  readonly #senders: (OutboxSender | null)[] = [];
  readonly #ends: number[] = [];
  #count = 0;
  /** Number of filled bytes in the slab. */
  #end = 0;
  #scheduled = false;
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /**
   * @param slab has {@link SLAB_BYTES} bytes
   * @param defer calls back once, at the end of the loop's turn
   */
  constructor(slab: Slab, defer: (callback: () => void) => void) {
    this.#slab = slab;
    this.#defer = defer;
  }

  /**
   * Adds a frame of any kind. Copies its payload. Frames of one sender keep their order.
   *
   * There is always room for a close frame: a session sends one, and the message before it may be larger than
   * `upstreamBuffer`.
   *
   * @returns false if the frame is rejected, because bytes already wait for the endpoint and the frame would
   * exceed the sender's `upstreamBuffer`
   */
  send(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): boolean {
    const size = payload.length + MAX_MASKED_HEAD_BYTES;
    const waiting = sender.upstream.writableLength;
    if (waiting > 0 && waiting + size > sender.upstreamBuffer && opcode !== OPCODE_CLOSE) return false;
    // In a loop, because senders may add frames in `upstreamBlocked` during a flush.
    while (this.#count > 0 && this.#end + size > SLAB_BYTES) {
      this.flush();
      // The flush may have closed this sender's session, and an engine frees a client's message with its
      // connection.
      if (!canWrite(sender.upstream)) return true;
    }
    if (size > SLAB_BYTES) {
      this.#sendInPieces(sender, opcode, payload, mask);
      return true;
    }
    if (this.#count === 0 || this.#senders[this.#count - 1] !== sender) this.#senders[this.#count++] = sender;
    this.#end = writeMaskedFrame(this.#slab.bytes, this.#end, opcode, payload, mask);
    this.#ends[this.#count - 1] = this.#end;
    if (size > MAX_GATHERED_BYTES) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#defer(this.#onTurnEnd);
    }
    return true;
  }

  /**
   * Writes the collected frames. A session calls it before it closes its socket, so that no frame is lost.
   */
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
    // Last, because the senders may use the outbox again.
    if (blocked !== null) for (const sender of blocked) sender.upstreamBlocked(0);
  }

  /**
   * Sends a frame that is larger than the slab, one slab after another. The sender is notified of the
   * remaining bytes before they are queued: if it closes its socket then, they are not copied.
   */
  #sendInPieces(sender: OutboxSender, opcode: number, payload: Uint8Array, mask: number): void {
    const { bytes } = this.#slab;
    const { upstream } = sender;
    let at = writeMaskedHead(bytes, 0, opcode, payload.length, mask);
    let done = 0;
    let blocked = false;
    while (done < payload.length && canWrite(upstream)) {
      // Whole words, so that each piece starts with the first byte of the mask.
      const room = (SLAB_BYTES - at) & ~3;
      const piece = payload.subarray(done, done + room);
      bytes.set(piece, at);
      if (mask !== 0) applyMask(bytes, at, piece.length, mask);
      done += piece.length;
      const taken = this.#write(upstream, 0, at + piece.length);
      at = 0;
      if (taken || blocked) continue;
      blocked = true;
      sender.upstreamBlocked(payload.length - done);
      // Closed sessions may have left frames in the slab, which the next piece needs.
      this.flush();
    }
    if (blocked) sender.upstreamBlocked(0);
  }

  /** Writes `slab[start, end)`. Returns whether the kernel took all of it. */
  #write(upstream: UpstreamSocket, start: number, end: number): boolean {
    if (!canWrite(upstream)) return true;
    const sent = upstream.sendFrom(this.#slab, start, end);
    if (sent === end - start) return true;
    upstream.writeCopy(this.#slab.bytes.subarray(start + sent, end));
    return upstream.writableLength === 0;
  }
}

/** Whether a socket can be written to. Another socket may reuse its descriptor after the close. */
function canWrite(upstream: UpstreamSocket): boolean {
  return !upstream.destroyed && !upstream.writableEnded;
}
