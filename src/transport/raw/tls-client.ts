import { EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { EAGAIN, ENODATA } from '../../sys/errno.ts';
import type { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { TlsStream } from '../../sys/tls/tls-stream.ts';
import type { ClientOwner } from '../client-transport.ts';
import { RawClient } from './raw-client.ts';
import type { RawHome } from './raw-home.ts';
import type { PendingReader } from './pending-reads.ts';

/** What a channel asks of its `TlsStream`. */
type Stream = Pick<
  TlsStream,
  | 'read'
  | 'write'
  | 'hasPending'
  | 'wantsRead'
  | 'wantsWrite'
  | 'wantsRepetition'
  | 'sendCloseNotify'
  | 'free'
>;

/** No result of a read: see {@link TlsClient.receiveInto}. */
const NO_RESULT = 1;

/**
 * A client's connection whose bytes OpenSSL encrypts and decrypts. OpenSSL reads more from the socket than it returns, so a
 * channel that has such bytes reads without an event.
 */
export class TlsClient extends RawClient implements PendingReader {
  isListed = false;
  readonly #stream: Stream;
  /** What the next read returns, because it followed bytes: 0 for the end, a negative error number. */
  #keptResult = NO_RESULT;
  /** Reading waits until something can be sent: OpenSSL answers the client's key update first. */
  #readNeedsRoom = false;
  /** Reading waits until the blocked write is repeated. It needs no room. */
  #readNeedsWrite = false;
  /** A write waits until something has come. */
  #writeNeedsInput = false;
  /** The close_notify waits until it can be sent. */
  #endWaits = false;

  /** @param stream whose handshake is done. The channel frees it. */
  constructor(home: RawHome, clientOwner: ClientOwner, stream: Stream) {
    super(home, clientOwner);
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

  /** Returns -EAGAIN, or a number of bytes, 1 or more, before any other result. An end without close_notify is one, too. */
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
        this.home.pending.add(this);
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
  protected override sayEnd(): boolean {
    // After an error the connection has broken, and reading finds out.
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

  /** Reading has stopped behind `count` bytes. */
  #stopped(result: number, count: number): number {
    const needsRoom = result === -EAGAIN && this.#stream.wantsWrite;
    if (needsRoom !== this.#readNeedsRoom) {
      this.#readNeedsRoom = needsRoom;
      this.rewatch();
    }
    this.#readNeedsWrite = result === -EAGAIN && this.#stream.wantsRepetition;
    if (this.#readNeedsWrite) this.home.pending.add(this);
    const meaning = result === -ENODATA ? 0 : result;
    if (count === 0) return meaning;
    if (meaning !== -EAGAIN) {
      this.#keptResult = meaning;
      // No event may follow a close_notify.
      this.home.pending.add(this);
    }
    return count;
  }

  /** Reads soon if OpenSSL may have bytes. */
  #readSoon(): void {
    if (this.destroyed) return;
    const mayRead = this.#keptResult !== NO_RESULT || this.#readNeedsWrite || this.#stream.hasPending;
    if (mayRead) this.home.pending.add(this);
  }
}
