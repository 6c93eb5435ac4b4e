import { Watched } from '../../loop/poller.ts';
import { BREAKS_ONLY, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { EAGAIN, EINTR, SystemCallError } from '../../sys/errno.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { Pipe } from '../../sys/sockets/pipe.ts';
import type { Channel, ChannelOwner, SendSource } from '../channel.ts';
import { SCRATCH_BYTES, type RawContext } from './raw-context.ts';
import { SendQueue } from './send-queue.ts';

/**
 * Max bytes of one read, and of one transfer by {@link RawChannel.splice}. The same number may wait for a
 * stalled side.
 */
const MAX_READ_BYTES = 64 * 1024;

// Bits of a channel's state.
const DESTROYED = 1;
/** `end` was called. */
const FINISHING = 2;
const PAUSED = 4;
/** FIN arrived. */
const ENDED = 8;
/**
 * The kernel takes no more bytes. Bytes still readable are delivered before the connection counts as lost.
 */
const BROKEN = 16;

/** Bytes moving to another channel unread. */
interface Splicing {
  readonly target: RawChannel;
  /** Remaining bytes. */
  left: number;
}

/**
 * A connection on a socket of the proxy, without Node. It carries bytes after {@link opened}. The other
 * side's FIN closes it once no bytes wait, unless {@link staysHalfOpen}.
 */
export class RawChannel<Owner extends ChannelOwner = ChannelOwner> extends Watched implements Channel {
  owner: Owner | null;
  protected readonly context: RawContext;
  #queue: SendQueue | null = null;
  #splicing: Splicing | null = null;
  /** One number instead of five fields: many channels are idle. */
  #state = 0;

  constructor(context: RawContext, owner: Owner | null) {
    super();
    this.context = context;
    this.owner = owner;
  }

  get destroyed(): boolean {
    return this.#is(DESTROYED);
  }

  get writableEnded(): boolean {
    return this.#is(FINISHING);
  }

  get writableLength(): number {
    return this.#queue?.length ?? 0;
  }

  override ready(events: number): void {
    if (this.#queue !== null && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) this.#flush(this.#queue);
    if (this.destroyed) return;
    if (this.#is(ENDED | PAUSED)) {
      if (this.staysHalfOpen() && (events & EPOLLERR) !== 0) this.#break();
    } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) !== 0) {
      this.#receive();
    }
  }

  override fault(error: unknown): void {
    this.close(error instanceof Error ? error : new Error(String(error)));
  }

  /** Called with bytes that the inbox read from this connection. */
  received(input: Buffer, start: number, end: number): void {
    if (!this.destroyed) this.owner?.channelData(input, start, end);
  }

  /** Sends bytes, and copies those that wait. */
  write(bytes: Uint8Array): boolean {
    if (this.#is(DESTROYED | FINISHING | BROKEN)) return true;
    if (bytes.length === 0) return this.#queue === null;
    if (this.#queue !== null) {
      this.#queue.push(bytes);
      return false;
    }
    let sent = 0;
    if (this.isOpen && bytes.length <= SCRATCH_BYTES) {
      const { scratch } = this.context;
      scratch.bytes.set(bytes);
      sent = Math.max(0, this.transmit(scratch, 0, bytes.length));
      if (sent === bytes.length) return true;
    }
    this.#wait(bytes.subarray(sent));
    return false;
  }

  writeCopy(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  sendFrom(source: SendSource, start: number, end: number): number {
    if (this.#queue !== null || !this.isOpen || this.#is(DESTROYED | FINISHING | BROKEN)) return 0;
    return source instanceof PinnedBuffer ? Math.max(0, this.transmit(source, start, end)) : 0;
  }

  forward(input: Buffer, start: number, end: number): boolean {
    const { input: shared } = this.context.inbox;
    const isDirect = input === shared.bytes && this.#queue === null && this.isOpen;
    if (!isDirect || this.#is(DESTROYED | FINISHING | BROKEN) || start === end)
      return this.write(input.subarray(start, end));
    const sent = Math.max(0, this.transmit(shared, start, end));
    if (sent === end - start) return true;
    this.#wait(input.subarray(start + sent, end));
    return false;
  }

  splice(target: Channel, bytes: number): boolean {
    if (!(target instanceof RawChannel) || !this.isPlain() || !target.isPlain()) return false;
    if (this.context.loop.pipe() === null) return false;
    this.#splicing = { target: target as RawChannel, left: bytes };
    return true;
  }

  pause(): void {
    this.#state |= PAUSED;
    this.#watch();
  }

  resume(): void {
    this.#state &= ~PAUSED;
    this.#watch();
  }

  end(): void {
    if (this.destroyed || this.writableEnded) return;
    this.#state |= FINISHING;
    if (this.#queue === null) this.finish();
  }

  destroy(): void {
    this.close(null);
  }

  resetAndDestroy(): void {
    if (this.fd >= 0) this.context.loop.sockets.resetOnClose(this.fd);
    this.close(null);
  }

  /** Receives into `buffer[start, end)`. Returns the result of `PinnedBuffer.recv`. */
  receiveInto(buffer: PinnedBuffer, start: number, end: number): number {
    return buffer.recv(this.fd, start, end);
  }

  /** Sends bytes as far as there is room: see {@link SendQueue.sendTo}. */
  transmit(buffer: PinnedBuffer, start: number, end: number): number {
    return buffer.send(this.fd, start, end);
  }

  /** Whether the descriptor carries the channel's bytes unchanged. */
  protected isPlain(): boolean {
    return true;
  }

  /** Whether the connection is established. */
  protected get isOpen(): boolean {
    return this.fd >= 0;
  }

  /** Whether the channel stays open after the other side's FIN, until `end` or `destroy`. */
  protected staysHalfOpen(): boolean {
    return false;
  }

  /** Called when the connection is established and watched: starts reading and sends waiting bytes. */
  protected opened(): void {
    this.#watch();
  }

  /**
   * Waits for events of the descriptor.
   *
   * @param interest EPOLLIN to read, EPOLLOUT to send waiting bytes, both or 0
   */
  protected watchFor(interest: number): void {
    this.context.loop.poller.change(this, interest || BREAKS_ONLY);
  }

  /** Recomputes the events to wait for. */
  protected rewatch(): void {
    this.#watch();
  }

  /** Tells the other side that no bytes follow, before FIN. Returns false if the call must be repeated. */
  protected announceEnd(): boolean {
    return true;
  }

  /** Sends FIN once all bytes are sent. Closes if the other side's FIN arrived: a close sends FIN, too. */
  protected finish(): void {
    const canSend = this.isOpen && !this.#is(BROKEN);
    if (canSend && !this.announceEnd()) return;
    if (this.#is(ENDED)) this.close(null);
    else if (canSend) this.context.loop.sockets.finish(this.fd);
  }

  protected close(error: Error | null): void {
    if (this.destroyed) return;
    this.#state |= DESTROYED;
    this.#queue?.clear();
    this.#queue = null;
    this.#splicing = null;
    this.context.loop.poller.close(this);
    const { owner } = this;
    this.owner = null;
    owner?.channelClosed(error);
  }

  /** Queues bytes that the kernel did not take. After an error, sending the queue meets it again. */
  #wait(bytes: Uint8Array): void {
    this.#queue = new SendQueue();
    this.#queue.push(bytes);
    this.#watch();
  }

  /** Queues the bytes of a pipe that the kernel did not take. */
  #waitFrom(pipe: Pipe): void {
    this.#queue = new SendQueue();
    this.#queue.takeFrom(pipe);
    this.#watch();
  }

  #receive(): void {
    if (this.#splicing !== null && this.#move(this.#splicing)) return;
    const maxBytes = this.owner?.maxReadBytes?.() ?? MAX_READ_BYTES;
    const received = this.context.inbox.receive(this, maxBytes);
    if (received <= 0) this.#stopped(received);
    else if (received === maxBytes && this.#splicing !== null && !this.#is(PAUSED))
      this.#move(this.#splicing);
  }

  /** Moves received bytes to another channel. Returns false if they must be read instead. */
  #move(splicing: Splicing): boolean {
    const { target } = splicing;
    const pipe = this.context.loop.pipe();
    if (pipe === null || !target.#takesPipe()) {
      this.#splicing = null;
      return false;
    }
    const moved = pipe.fill(this.fd, Math.min(splicing.left, MAX_READ_BYTES));
    if (moved <= 0) {
      this.#stopped(moved);
      return true;
    }
    splicing.left -= moved;
    if (splicing.left === 0) this.#splicing = null;
    const isTaken = pipe.drain(target.fd) === 0;
    if (!isTaken) target.#waitFrom(pipe);
    this.owner?.channelSpliced?.(moved, isTaken);
    return true;
  }

  /** Whether bytes may be sent on the descriptor now. */
  #takesPipe(): boolean {
    return this.isOpen && this.#queue === null && !this.writableEnded && !this.#is(BROKEN);
  }

  /** Handles a read without bytes. @param result 0 for FIN; a negative error number */
  #stopped(result: number): void {
    if (result === -EAGAIN || result === -EINTR) return;
    if (result < 0) {
      this.close(new SystemCallError('recv', -result));
      return;
    }
    this.#state |= ENDED;
    this.#watch();
    this.owner?.channelEnded();
    if (this.destroyed || (this.staysHalfOpen() && !this.writableEnded && !this.#is(BROKEN))) return;
    if (this.#queue === null || this.#is(BROKEN)) this.close(null);
    else this.#state |= FINISHING;
  }

  /** Handles a break of a connection that is not being read. */
  #break(): void {
    const errno = this.context.loop.sockets.takeError(this.fd);
    this.close(errno === 0 ? null : new SystemCallError('recv', errno));
  }

  #flush(queue: SendQueue): void {
    const result = queue.sendTo(this);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) {
      this.#breakWriting(queue, result);
      return;
    }
    if (queue.length > 0) return;
    this.#queue = null;
    this.#watch();
    if (this.writableEnded) this.finish();
    else this.owner?.channelDrained?.();
  }

  /** Handles a failed send: the kernel takes no more bytes. */
  #breakWriting(queue: SendQueue, result: number): void {
    this.#state |= BROKEN;
    queue.clear();
    this.#queue = null;
    if (this.#is(ENDED)) this.close(null);
    else if (this.staysHalfOpen() && this.#is(PAUSED)) this.close(new SystemCallError('send', -result));
    else this.#watch();
  }

  /** Whether any of the bits is set. */
  #is(bits: number): boolean {
    return (this.#state & bits) !== 0;
  }

  #watch(): void {
    if (!this.isOpen) return;
    const readable = this.#is(ENDED | PAUSED) ? 0 : EPOLLIN;
    const writable = this.#queue === null ? 0 : EPOLLOUT;
    this.watchFor(readable | writable);
  }
}
