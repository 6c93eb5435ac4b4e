import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { BREAKS_ONLY, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { EAGAIN, EINTR } from '../../sys/errno.ts';
import type { Pipe } from '../../sys/sockets/pipe.ts';
import { TLS_ADMITTED } from '../../wire/tls/postgres-tls-request.ts';
import { SendQueue } from '../../transport/raw/send-queue.ts';

/** Max reads of bytes received before a connection broke. */
const MAX_LAST_READS = 16;

/** Min bytes of a read that switches to the pipe: from this size, splicing is cheaper than copying. */
const MIN_BULK_BYTES = 48 * 1024;
/** Max bytes per transfer through the pipe. */
const MAX_PIPED_BYTES = 256 * 1024;
/**
 * Reads through the pipe after a large read. The end of a large message is small, so one small read does not
 * switch back.
 */
const BULK_READS = 8;

/** Receives the events of both sides of a tunnel. */
export interface LegOwner {
  readonly loop: EventLoop;
  /** Called when bytes arrive from a side. */
  legReceived(leg: Leg, bytes: number): void;
  /** Called when a side has taken bytes that waited for it. */
  legDrained(): void;
  /** Called when FIN was sent to a side. The side may still send. */
  legFinished(): void;
  /** Called when a side is closed because both directions ended. */
  legClosed(): void;
  /** Called when a side admits TLS: see {@link Leg.requestTls}. */
  legAdmittedTls(): void;
  /** Called when a side declines TLS, sends something else, or ends. */
  legRefusedTls(): void;
  /** Called when a side's connection breaks. The other side is open, or has ended cleanly. */
  legFailed(leg: Leg): void;
  /** Called when serving a side throws. */
  legFaulted(error: unknown): void;
}

/**
 * One side of a tunnel. Received bytes go to the peer at once. Bytes the kernel does not take wait in a
 * queue, and their sender is not read until they are sent.
 */
export class Leg extends Watched {
  /** The other side. Null before the join. */
  peer: Leg | null = null;
  /** Bytes received from this side. */
  received = 0;
  readonly #owner: LegOwner;
  /** Bytes for this side that the kernel has not taken. Null without any. */
  #queue: SendQueue | null = null;
  /** Remaining reads from this side through the pipe. */
  #bulkReads = 0;
  /** True once FIN arrived from this side. */
  #ended = false;
  /** True once FIN was sent to this side. */
  #finished = false;
  /** True while this side has not answered a request for TLS. Its peer is not read until then. */
  #owesTlsAnswer = false;
  /** True once the other side was reset: this side only gets the bytes received before. */
  #lingers = false;
  /** True if the connection broke while it lingers. */
  #broken = false;

  constructor(owner: LegOwner) {
    super();
    this.#owner = owner;
  }

  /** Whether bytes wait for this side. */
  get waits(): boolean {
    return this.#queue !== null;
  }

  override ready(events: number): void {
    if (this.#lingers) {
      this.#broken ||= (events & (EPOLLERR | EPOLLHUP)) !== 0;
      return;
    }
    // The connection broke before an endpoint accepted. The endpoint gets the bytes before the reset: see
    // `join`.
    if (this.peer === null) return;
    if (this.#queue !== null && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) {
      this.#flush(this.#queue);
      if (this.fd < 0) return;
    }
    if ((this.interest & EPOLLIN) !== 0) {
      if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) !== 0) this.#receive(this.peer);
    } else if ((events & EPOLLERR) !== 0 && this.#owner.loop.sockets.takeError(this.fd) !== 0) {
      this.#owner.legFailed(this);
    }
  }

  override fault(error: unknown): void {
    this.#owner.legFaulted(error);
  }

  /** Closes this side now, without telling the owner. @param reset whether to send a reset */
  drop(reset: boolean): void {
    const { poller } = this.#owner.loop;
    this.#queue?.clear();
    this.#queue = null;
    if (reset) poller.reset(this);
    else poller.close(this);
  }

  /** Stops reading from this side. {@link sendRest} still sends the bytes that wait for it. */
  linger(): void {
    this.#lingers = true;
    this.#owner.loop.poller.change(this, BREAKS_ONLY);
  }

  /**
   * Sends waiting bytes. Returns the number of bytes the side has not acknowledged. Returns 0 if its
   * connection broke.
   */
  sendRest(): number {
    if (this.#broken) return 0;
    const { sockets } = this.#owner.loop;
    const queue = this.#queue;
    if (queue === null) return sockets.unacknowledged(this.fd);
    const result = queue.send(this.fd);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) return 0;
    if (queue.length === 0) this.#queue = null;
    return queue.length + sockets.unacknowledged(this.fd);
  }

  /**
   * Joins two sides to one tunnel and reads from both. If one has already broken, the reads find its bytes
   * and the reset.
   */
  join(peer: Leg): void {
    this.peer = peer;
    peer.peer = this;
    this.#watch();
    peer.#watch();
  }

  /** Sends the proxy's own bytes before all bytes of the peer. Must be called right after {@link join}. */
  sendFirst(bytes: Buffer): void {
    const queue = new SendQueue();
    queue.push(bytes);
    const result = queue.send(this.fd);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) {
      queue.clear();
      this.#owner.legFailed(this);
    } else if (queue.length > 0) {
      this.#queue = queue;
      this.#watch();
      this.peer!.#watch();
    }
  }

  /** Asks this side for TLS as a PostgreSQL client does. Must be called right before {@link join}. */
  requestTls(): void {
    this.#owesTlsAnswer = true;
  }

  #receive(peer: Leg): void {
    if (this.#owesTlsAnswer) {
      this.#receiveTlsAnswer(peer);
      return;
    }
    const { loop } = this.#owner;
    const pipe = this.#bulkReads > 0 ? loop.pipe() : null;
    const received =
      pipe === null
        ? loop.input.recv(this.fd, 0, loop.input.bytes.length)
        : pipe.fill(this.fd, MAX_PIPED_BYTES);
    if (received > 0) {
      if (received >= MIN_BULK_BYTES) this.#bulkReads = BULK_READS;
      else if (pipe !== null) this.#bulkReads--;
      this.received += received;
      this.#owner.legReceived(this, received);
      if (pipe === null) peer.#take(received, this);
      else peer.#takePiped(pipe, this);
    } else if (received === 0) {
      this.#end(peer);
    } else if (received !== -EAGAIN && received !== -EINTR) {
      this.#owner.legFailed(this);
    }
  }

  #receiveTlsAnswer(peer: Leg): void {
    const { input } = this.#owner.loop;
    // More bytes than the answer would be unencrypted, and a client could take them for the server's.
    const received = input.recv(this.fd, 0, TLS_ADMITTED.length + 1);
    if (received === -EAGAIN || received === -EINTR) return;
    if (received < 0) {
      this.#owner.legFailed(this);
    } else if (received === TLS_ADMITTED.length && input.bytes[0] === TLS_ADMITTED[0]) {
      this.#owesTlsAnswer = false;
      this.#owner.legAdmittedTls();
      peer.#watch();
    } else {
      this.#owner.legRefusedTls();
    }
  }

  /** Sends the first `length` bytes of the input, received from the peer. */
  #take(length: number, peer: Leg): void {
    const { input } = this.#owner.loop;
    const sent = input.send(this.fd, 0, length);
    if (sent === length) return;
    if (sent < 0 && sent !== -EAGAIN && sent !== -EINTR) {
      this.#receiveRest(peer);
      this.#owner.legFailed(this);
      return;
    }
    this.#queue = new SendQueue();
    this.#queue.push(input.bytes.subarray(Math.max(0, sent), length));
    this.#watch();
    peer.#watch();
  }

  /** Sends the bytes in the pipe, received from the peer. */
  #takePiped(pipe: Pipe, peer: Leg): void {
    const result = pipe.drain(this.fd);
    if (result === 0) return;
    this.#queue = new SendQueue();
    this.#queue.takeFrom(pipe);
    if (result !== -EAGAIN && result !== -EINTR) {
      this.#receiveRest(peer);
      this.#owner.legFailed(this);
      return;
    }
    this.#watch();
    peer.#watch();
  }

  #flush(queue: SendQueue): void {
    const waiting = queue.length;
    const result = queue.send(this.fd);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) {
      this.#receiveRest(this.peer!);
      this.#owner.legFailed(this);
      return;
    }
    if (queue.length === waiting) return;
    this.#owner.legDrained();
    if (queue.length > 0) return;
    this.#queue = null;
    const peer = this.peer!;
    if (peer.#ended) this.#finish();
    else peer.#watch();
    if (this.fd >= 0) this.#watch();
  }

  /** Handles FIN from this side. */
  #end(peer: Leg): void {
    this.#ended = true;
    if (peer.#queue === null) peer.#finish();
    if (this.#finished) this.#close();
    else this.#watch();
  }

  /** Sends FIN, once all bytes of the peer are sent. */
  #finish(): void {
    this.#finished = true;
    // A close sends FIN, too.
    if (this.#ended) {
      this.#close();
      return;
    }
    this.#owner.loop.sockets.finish(this.fd);
    this.#owner.legFinished();
  }

  #close(): void {
    this.#owner.loop.poller.close(this);
    this.#owner.legClosed();
  }

  /**
   * Passes on the bytes received before a reset, as far as the peer has room. An endpoint may answer and then
   * reset because it does not want the rest of a request.
   */
  #receiveRest(peer: Leg): void {
    const { input } = this.#owner.loop;
    if (this.#ended || peer.#queue !== null) return;
    for (let reads = 0; reads < MAX_LAST_READS; reads++) {
      const received = input.recv(this.fd, 0, input.bytes.length);
      if (received <= 0) return;
      this.received += received;
      this.#owner.legReceived(this, received);
      if (input.send(peer.fd, 0, received) !== received) return;
    }
  }

  /** Watches this side for reads if its peer has room, and for writes if bytes wait. */
  #watch(): void {
    const peer = this.peer!;
    const readable = this.#ended || peer.#queue !== null || peer.#owesTlsAnswer ? 0 : EPOLLIN;
    const writable = this.#queue === null ? 0 : EPOLLOUT;
    this.#owner.loop.poller.change(this, readable | writable || BREAKS_ONLY);
  }
}
