import { Watched } from '../../loop/poller.ts';
import { BREAKS_ONLY, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { EAGAIN, EINTR } from '../../sys/errno.ts';
import type { RawLoop } from './raw-loop.ts';
import type { Spill } from './spill.ts';

/** Max reads of bytes that came before a connection broke. */
const MAX_LAST_READS = 16;

/** Min bytes of a read after which reads go through the pipe: from this size on, splicing is cheaper than copying. */
const MIN_BULK_BYTES = 48 * 1024;
/** Reads that go through the pipe after a large one: the end of a large message is small. */
const BULK_READS = 8;

/** Hears what happens on the two sides of a tunnel. */
export interface LegOwner {
  readonly loop: RawLoop;
  /** Bytes have come from a side. */
  legReceived(leg: Leg, bytes: number): void;
  /** A side has taken bytes that waited for it. */
  legTook(): void;
  /** FIN has been sent to a side, which may still send. */
  legFinished(): void;
  /** A side is closed because both directions have ended. */
  legClosed(): void;
  /** A side's connection has broken. Both sides are still open, or the other has ended in good order. */
  legFailed(leg: Leg): void;
  /** Serving a side has thrown. */
  legFaulted(error: unknown): void;
}

/**
 * One side of a tunnel. Received bytes go to the peer at once. Bytes that the kernel does not take are spilled, and this side
 * is not read until they have been sent.
 */
export class Leg extends Watched {
  /** The other side; null before the join. */
  peer: Leg | null = null;
  /** Bytes that have come from this side. */
  received = 0;
  readonly #owner: LegOwner;
  /** Bytes for this side that the kernel has not taken; null for none. */
  #spill: Spill | null = null;
  /** How many more reads from this side go through the pipe. */
  #bulkReads = 0;
  /** FIN has come from this side. */
  #ended = false;
  /** FIN has been sent to this side. */
  #finished = false;
  /** The other side has been reset: this one only gets the bytes that came before. */
  #lingers = false;
  /** Its connection has broken while it lingers. */
  #broken = false;

  constructor(owner: LegOwner) {
    super();
    this.#owner = owner;
  }

  /** Whether bytes wait for this side. */
  get waits(): boolean {
    return this.#spill !== null;
  }

  override ready(events: number): void {
    if (this.#lingers) {
      this.#broken ||= (events & (EPOLLERR | EPOLLHUP)) !== 0;
      return;
    }
    // It has broken before an endpoint has accepted. The endpoint gets the bytes before the reset: see `join`.
    if (this.peer === null) return;
    if (this.#spill !== null && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) {
      this.#flush(this.#spill);
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

  /** Closes this side now. The owner is not told. @param reset whether with a reset */
  drop(reset: boolean): void {
    const { poller, spills } = this.#owner.loop;
    if (this.#spill !== null) spills.give(this.#spill);
    this.#spill = null;
    if (reset) poller.reset(this);
    else poller.close(this);
  }

  /** Reads no more from this side. It only gets the bytes that wait for it, by {@link sendRest}. */
  linger(): void {
    this.#lingers = true;
    this.#owner.loop.poller.change(this, BREAKS_ONLY);
  }

  /** Sends the bytes that wait. Returns how many bytes the side has not acknowledged; 0 if its connection has broken. */
  sendRest(): number {
    if (this.#broken) return 0;
    const { sockets, spills } = this.#owner.loop;
    const spill = this.#spill;
    if (spill === null) return sockets.unacknowledged(this.fd);
    const sent = spill.buffer.send(this.fd, spill.start, spill.end);
    if (sent < 0 && sent !== -EAGAIN && sent !== -EINTR) return 0;
    spill.start += Math.max(0, sent);
    const left = spill.end - spill.start;
    if (left === 0) {
      spills.give(spill);
      this.#spill = null;
    }
    return left + sockets.unacknowledged(this.fd);
  }

  /** Makes the two sides one tunnel: reads from both. If one has broken already, the reads find its bytes and the reset. */
  join(peer: Leg): void {
    this.peer = peer;
    peer.peer = this;
    this.#watch();
    peer.#watch();
  }

  #receive(peer: Leg): void {
    const { input, pipe } = this.#owner.loop;
    const piped = this.#bulkReads > 0;
    const received = piped ? pipe.fill(this.fd) : input.recv(this.fd, 0, input.bytes.length);
    if (received > 0) {
      if (received >= MIN_BULK_BYTES) this.#bulkReads = BULK_READS;
      else if (piped) this.#bulkReads--;
      this.received += received;
      this.#owner.legReceived(this, received);
      if (piped) peer.#takePiped(this);
      else peer.#take(received, this);
    } else if (received === 0) {
      this.#end(peer);
    } else if (received !== -EAGAIN && received !== -EINTR) {
      this.#owner.legFailed(this);
    }
  }

  /** Sends the first `length` bytes of the input, which have come from the peer. */
  #take(length: number, peer: Leg): void {
    const { input, spills } = this.#owner.loop;
    const sent = input.send(this.fd, 0, length);
    if (sent === length) return;
    if (sent < 0 && sent !== -EAGAIN && sent !== -EINTR) {
      this.#receiveRest(peer);
      this.#owner.legFailed(this);
      return;
    }
    this.#spill = spills.take(input.bytes, Math.max(0, sent), length);
    this.#watch();
    peer.#watch();
  }

  /** Sends the bytes in the pipe, which have come from the peer. */
  #takePiped(peer: Leg): void {
    const { input, pipe, spills } = this.#owner.loop;
    const result = pipe.drain(this.fd);
    if (result === 0) return;
    const rest = pipe.rest(input);
    if (result !== -EAGAIN && result !== -EINTR) {
      this.#receiveRest(peer);
      this.#owner.legFailed(this);
      return;
    }
    this.#spill = spills.take(input.bytes, 0, rest);
    this.#watch();
    peer.#watch();
  }

  #flush(spill: Spill): void {
    const sent = spill.buffer.send(this.fd, spill.start, spill.end);
    if (sent < 0) {
      if (sent === -EAGAIN || sent === -EINTR) return;
      this.#receiveRest(this.peer!);
      this.#owner.legFailed(this);
      return;
    }
    this.#owner.legTook();
    spill.start += sent;
    if (spill.start < spill.end) return;
    this.#owner.loop.spills.give(spill);
    this.#spill = null;
    const peer = this.peer!;
    if (peer.#ended) this.#finish();
    else peer.#watch();
    if (this.fd >= 0) this.#watch();
  }

  /** FIN has come. */
  #end(peer: Leg): void {
    this.#ended = true;
    if (peer.#spill === null) peer.#finish();
    if (this.#finished) this.#close();
    else this.#watch();
  }

  /** Sends FIN: everything from the peer has been sent. */
  #finish(): void {
    this.#finished = true;
    // A close sends FIN too.
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
   * Passes on the bytes that came before a reset, as far as the peer has room: an endpoint may answer and reset, because it
   * does not want the rest of a request.
   */
  #receiveRest(peer: Leg): void {
    const { input } = this.#owner.loop;
    if (this.#ended || peer.#spill !== null) return;
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
    const readable = this.#ended || this.peer!.#spill !== null ? 0 : EPOLLIN;
    const writable = this.#spill === null ? 0 : EPOLLOUT;
    this.#owner.loop.poller.change(this, readable | writable || BREAKS_ONLY);
  }
}
