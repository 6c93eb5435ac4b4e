import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLRDHUP } from '../../sys/epoll.ts';
import { EAGAIN, EINTR } from '../../sys/errno.ts';
import type { ArrivalOwner, EntryInspector, Refusal } from '../entry.ts';

/** Max bytes to peek at: room for a PROXY header and a ClientHello, each of its max size. */
const MAX_LOOK_BYTES = 32 * 1024;

/** Edge-triggered: wakes the thread for new bytes only, not again for bytes already seen. */
const EDGE_TRIGGERED_READS = EPOLLIN | EPOLLRDHUP | EPOLLET;

/**
 * A connection in its entry stages. Its bytes are peeked at and stay in the socket. At first it has the same
 * interest as channels and tunnels: most clients send all bytes at once, and the interest need not change. If
 * more bytes are needed, the watch becomes edge-triggered.
 */
export class RawArrival extends Watched implements LiveMember {
  liveIndex = -1;
  readonly deadline: Timed = new Deadline(this);
  readonly #loop: EventLoop;
  readonly #owner: ArrivalOwner<Watched>;
  readonly #waiting: LiveSet<RawArrival>;
  readonly #inspector: EntryInspector;
  readonly #peer: string;
  readonly #since: number;

  /** @param waiting contains this arrival while it waits */
  constructor(
    loop: EventLoop,
    owner: ArrivalOwner<Watched>,
    waiting: LiveSet<RawArrival>,
    inspector: EntryInspector,
    peer: string,
  ) {
    super();
    this.#loop = loop;
    this.#owner = owner;
    this.#waiting = waiting;
    this.#inspector = inspector;
    this.#peer = peer;
    this.#since = loop.wheel.now;
  }

  /** Takes the first look, at no bytes: some connections enter or fail whatever they send. */
  start(): void {
    try {
      this.#judge(0);
    } catch (error) {
      this.fault(error);
    }
  }

  override ready(events: number): void {
    const { input } = this.#loop;
    const end = input.peek(this.fd, 0, MAX_LOOK_BYTES);
    if (end > 0 && this.#judge(end)) return;
    const isCut = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0 || end === 0;
    const isBroken = end < 0 && end !== -EAGAIN && end !== -EINTR;
    if (isCut || isBroken) this.#reject(this.#inspector.ended());
    // The peeked bytes fill the buffer, so later bytes can never be seen.
    else if (end === MAX_LOOK_BYTES)
      this.#reject({ reason: 'hello_malformed', detail: 'the ClientHello is too long' });
    else this.#loop.poller.change(this, EDGE_TRIGGERED_READS);
  }

  /** Closes a connection after an error of the proxy. */
  override fault(error: unknown): void {
    if (this.fd < 0) return;
    this.#close();
    this.#owner.lost(error);
  }

  /** Closes the connection because its listener closes. */
  drop(): void {
    if (this.fd >= 0) this.fault(null);
  }

  /** Rejects the connection because its deadline has passed. */
  expire(): void {
    this.#reject(this.#inspector.timedOut());
  }

  /** Judges the first `end` bytes of the input. Returns false if more bytes are needed. */
  #judge(end: number): boolean {
    const { input } = this.#loop;
    let start = 0;
    for (;;) {
      const verdict = this.#inspector.look(input.bytes, start, end);
      if (verdict === 'more') return false;
      if ('facts' in verdict) {
        this.#stopWaiting();
        this.#owner.entered(this, verdict.facts, this.#since);
        return true;
      }
      if ('reason' in verdict) {
        this.#reject(verdict);
        return true;
      }
      // The bytes were peeked at, so one read returns all of them.
      const { consume, answer } = verdict;
      const rest = start + consume;
      if (rest > end || input.recv(this.fd, start, rest) !== consume) {
        throw new Error(`${consume} consumed bytes could not be read`);
      }
      start = rest;
      if (answer !== null && !this.#send(answer)) {
        this.#reject(this.#inspector.ended());
        return true;
      }
    }
  }

  /** Sends an answer behind the peeked bytes. Returns false if the connection has broken. */
  #send(answer: Buffer): boolean {
    const { input } = this.#loop;
    answer.copy(input.bytes, MAX_LOOK_BYTES);
    return input.send(this.fd, MAX_LOOK_BYTES, MAX_LOOK_BYTES + answer.length) === answer.length;
  }

  #reject(refusal: Refusal): void {
    this.#close();
    const seconds = (this.#loop.wheel.now - this.#since) / 1000;
    this.#owner.rejected({ ...refusal, peer: this.#peer, seconds });
  }

  #close(): void {
    this.#stopWaiting();
    this.#loop.poller.close(this);
    this.#inspector.abandon();
  }

  /** Ends the wait for bytes. */
  #stopWaiting(): void {
    this.#loop.wheel.disarm(this.deadline);
    this.#waiting.delete(this);
  }
}

/** Timer for all bytes required of one connection. */
class Deadline extends Timed {
  readonly #arrival: RawArrival;

  constructor(arrival: RawArrival) {
    super();
    this.#arrival = arrival;
  }

  override expire(): void {
    this.#arrival.expire();
  }
}
