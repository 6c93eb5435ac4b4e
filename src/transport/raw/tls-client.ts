import { EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { EAGAIN, ENODATA } from '../../sys/errno.ts';
import type { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { TlsStream } from '../../sys/tls/tls-stream.ts';
import type { ClientOwner } from '../client-transport.ts';
import { RawClient } from './raw-client.ts';
import type { RawContext } from './raw-context.ts';
import type { PendingReader } from './pending-reads.ts';

/** The methods of `TlsStream` that a channel uses. */
type Stream = Pick<
  TlsStream,
  'read' | 'write' | 'hasPending' | 'wantsRead' | 'wantsWrite' | 'wantsRetry' | 'sendCloseNotify' | 'free'
>;

/** Marks the absence of a read result: see {@link TlsClient.receiveInto}. */
const NO_RESULT = 1;

/**
 * A client's connection encrypted by OpenSSL. OpenSSL reads more from the socket than it returns, so a
 * channel with such bytes reads without an event.
 */
export class TlsClient extends RawClient implements PendingReader {
  isListed = false;
  readonly #stream: Stream;
  /**
   * Result of the next read, found after bytes in the last one: 0 for the end, or a negative error number.
   */
  #keptResult = NO_RESULT;
  /** Reading waits for room to send: OpenSSL must first answer the client's key update. */
  #readNeedsRoom = false;
  /** Reading waits until the blocked write is repeated. The write needs no room. */
  #readNeedsWrite = false;
  /** A write waits for input. */
  #writeNeedsInput = false;
  /** The close_notify waits for room. */
  #endWaits = false;

  /** @param stream a stream after its handshake; the channel frees it */
  constructor(context: RawContext, clientOwner: ClientOwner, stream: Stream) {
    super(context, clientOwner);
    this.#stream = stream;
  }

  override ready(events: number): void {
    let meaning = events;
    if (this.#readNeedsRoom && (events & EPOLLOUT) !== 0) meaning |= EPOLLIN;
    if (this.#writeNeedsInput && (events & EPOLLIN) !== 0) meaning |= EPOLLOUT;
    if (this.#endWaits && (events & EPOLLOUT) !== 0) {
      this.finish();
      if (this.destroyed) return;
    }
    super.ready(meaning);
  }

  override resume(): void {
    super.resume();
    this.#readSoon();
  }

  readPending(): void {
    if (!this.destroyed) super.ready(this.#readNeedsWrite ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  /**
   * Returns -EAGAIN, or 1 or more bytes before any other result. An end without close_notify counts as an
   * end.
   */
  override receiveInto(buffer: PinnedBuffer, start: number, end: number): number {
    if (this.#keptResult !== NO_RESULT) return this.#keptResult;
    const stream = this.#stream;
    for (let at = start; ;) {
      const count = stream.read(buffer, at, end);
      if (count <= 0) return this.#stopped(count, at - start);
      at += count;
      const isFull = at === end;
      if (!stream.hasPending) return at - start;
      if (isFull) {
        this.context.pending.add(this);
        return at - start;
      }
    }
  }

  /** Sends as many records as there is room for. */
  override transmit(buffer: PinnedBuffer, start: number, end: number): number {
    for (let at = start; at < end;) {
      const sent = this.#stream.write(buffer, at, end);
      if (sent <= 0) {
        this.#writeNeedsInput = sent === -EAGAIN && this.#stream.wantsRead;
        return at > start ? at - start : sent;
      }
      at += sent;
    }
    this.#writeNeedsInput = false;
    return end - start;
  }

  protected override isPlain(): boolean {
    return false;
  }

  protected override watchFor(interest: number): void {
    let events = 0;
    if ((interest & EPOLLIN) !== 0) events |= this.#readNeedsRoom ? EPOLLOUT : EPOLLIN;
    if ((interest & EPOLLOUT) !== 0) events |= this.#writeNeedsInput ? EPOLLIN : EPOLLOUT;
    if (this.#endWaits) events |= EPOLLOUT;
    super.watchFor(events);
  }

  protected override opened(): void {
    super.opened();
    this.#readSoon();
  }

  /** Sends close_notify. */
  protected override announceEnd(): boolean {
    // An error means the connection has broken. The next read reports it.
    const waits = this.#stream.sendCloseNotify() === -EAGAIN;
    if (waits !== this.#endWaits) {
      this.#endWaits = waits;
      this.rewatch();
    }
    return !waits;
  }

  protected override close(error: Error | null): void {
    if (this.destroyed) return;
    try {
      super.close(error);
    } finally {
      this.#stream.free();
    }
  }

  /** Handles a read that stopped after `count` bytes, and returns the result to report. */
  #stopped(result: number, count: number): number {
    const needsRoom = result === -EAGAIN && this.#stream.wantsWrite;
    if (needsRoom !== this.#readNeedsRoom) {
      this.#readNeedsRoom = needsRoom;
      this.rewatch();
    }
    this.#readNeedsWrite = result === -EAGAIN && this.#stream.wantsRetry;
    if (this.#readNeedsWrite) this.context.pending.add(this);
    const meaning = result === -ENODATA ? 0 : result;
    if (count === 0) return meaning;
    if (meaning !== -EAGAIN) {
      this.#keptResult = meaning;
      // No event may follow a close_notify.
      this.context.pending.add(this);
    }
    return count;
  }

  /** Schedules a read if OpenSSL may hold bytes. */
  #readSoon(): void {
    if (this.destroyed) return;
    const mayRead = this.#keptResult !== NO_RESULT || this.#readNeedsWrite || this.#stream.hasPending;
    if (mayRead) this.context.pending.add(this);
  }
}
