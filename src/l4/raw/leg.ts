import { EAGAIN, EINTR } from '../../sys/errno.ts';
import { BREAKS_ONLY, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { Watched } from '../../loop/poller.ts';
import type { RawLoop } from './raw-loop.ts';
import type { Spill } from './spill.ts';

/** Reads of what came before a connection broke. */
const MOST_LAST_READS = 16;

/** Where so much comes at once, handing it on is cheaper than copying it. */
const BULK = 48 * 1024;
/** The reads behind it are taken for its like: the end of a large message is small. */
const BULK_READS = 8;

/** Who is told what happens on the two sides of a tunnel. */
export interface LegOwner {
  readonly loop: RawLoop;
  /** So many bytes have come from a side. */
  legReceived(leg: Leg, bytes: number): void;
  /** A side has taken bytes that waited for it. */
  legTook(): void;
  /** FIN has been sent to a side, which is still read. */
  legFinished(): void;
  /** A side is closed because both directions have ended. */
  legClosed(): void;
  /** A side's connection has broken. Both sides are still open, or the other has ended in good order. */
  legFailed(leg: Leg): void;
  /** Serving a side has thrown. */
  legFaulted(error: unknown): void;
}

/**
 * One side of a tunnel. What it receives goes to its peer at once; what the kernel does not take is spilled, and
 * this side is not read until it is gone.
 */
export class Leg extends Watched {
  /** The other side, from when both are there. */
  peer: Leg | null = null;
  /** Bytes that have come from this side. */
  received = 0;
  readonly #owner: LegOwner;
  /** What is to be sent to this side and has found no room yet. */
  #spill: Spill | null = null;
  /** So many reads from this side still go through the pipe. */
  #bulkReads = 0;
  /** FIN has come from this side. */
  #ended = false;
  /** FIN has been sent to this side. */
  #finished = false;
  /** The other side has been reset: this one only gets what came before. */
  #lingers = false;
  /** Its connection has broken while it lingers. */
  #broken = false;

  constructor(owner: LegOwner) {
    super();
    this.#owner = owner;
  }

  /** Whether something is to be sent to this side that has found no room yet. */
  get waits(): boolean {
    return this.#spill !== null;
  }

  override ready(events: number): void {
    if (this.#lingers) {
      this.#broken ||= (events & (EPOLLERR | EPOLLHUP)) !== 0;
      return;
    }
    // It has broken before an endpoint has accepted. The endpoint gets what came before the reset: see `join`.
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

  /** Closes this side now, with a reset where that is wanted. The owner is not told. */
  drop(reset: boolean): void {
    const { poller, spills } = this.#owner.loop;
    if (this.#spill !== null) spills.give(this.#spill);
    this.#spill = null;
    if (reset) poller.reset(this);
    else poller.close(this);
  }

  /** Reads no more from this side: it only gets what waits for it, by {@link sendRest}. */
  linger(): void {
    this.#lingers = true;
    this.#owner.loop.poller.change(this, BREAKS_ONLY);
  }

  /** Sends what waits for this side. Returns how many bytes it has not acknowledged; 0 if its connection has broken. */
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
      if (received >= BULK) this.#bulkReads = BULK_READS;
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

  /** Sends the first so many bytes of the input, which have come from the peer. */
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

  /** Sends what is in the pipe, which has come from the peer. */
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
    // Closing sends it as well.
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
   * An endpoint may answer and reset because it does not want the rest of a request: its answer has come before
   * the reset, and crosses as far as there is room for it.
   */
  #receiveRest(peer: Leg): void {
    const { input } = this.#owner.loop;
    if (this.#ended || peer.#spill !== null) return;
    for (let reads = 0; reads < MOST_LAST_READS; reads++) {
      const received = input.recv(this.fd, 0, input.bytes.length);
      if (received <= 0) return;
      this.received += received;
      this.#owner.legReceived(this, received);
      if (input.send(peer.fd, 0, received) !== received) return;
    }
  }

  /** Watches for what can be done with this side now. */
  #watch(): void {
    const readable = this.#ended || this.peer!.#spill !== null ? 0 : EPOLLIN;
    const writable = this.#spill === null ? 0 : EPOLLOUT;
    this.#owner.loop.poller.change(this, readable | writable || BREAKS_ONLY);
  }
}
