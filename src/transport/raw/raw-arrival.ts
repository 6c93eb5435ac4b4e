import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLRDHUP } from '../../sys/epoll.ts';
import { EAGAIN, EINTR } from '../../sys/errno.ts';
import type { ArrivalOwner, Door, Refusal } from '../entry.ts';

/** Max bytes that are looked at: room for a PROXY header and a ClientHello, each of the largest size that is read. */
const MAX_LOOK_BYTES = 32 * 1024;

/** Wakes the thread for new bytes only, and not again for those that do not decide yet. */
const ON_CHANGES = EPOLLIN | EPOLLRDHUP | EPOLLET;

/**
 * A connection whose first bytes are looked at, and stay in the socket. At first it is watched for bytes, as channels and
 * tunnels are: most clients send at once all that decides, and then the watch need not change. If more bytes are needed, it
 * is watched for changes only.
 */
export class RawArrival extends Watched implements LiveMember {
  liveIndex = -1;
  readonly deadline: Timed = new Deadline(this);
  readonly #loop: EventLoop;
  readonly #owner: ArrivalOwner<Watched>;
  readonly #waiting: LiveSet<RawArrival>;
  readonly #door: Door;
  readonly #peer: string;
  readonly #since: number;

  /** @param waiting has it for as long as it waits */
  constructor(
    loop: EventLoop,
    owner: ArrivalOwner<Watched>,
    waiting: LiveSet<RawArrival>,
    door: Door,
    peer: string,
  ) {
    super();
    this.#loop = loop;
    this.#owner = owner;
    this.#waiting = waiting;
    this.#door = door;
    this.#peer = peer;
    this.#since = loop.wheel.now;
  }

  /** Takes the first look, at no bytes: some connections can enter, or cannot, whatever they send. */
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
    if (isCut || isBroken) this.#reject(this.#door.ended());
    // What has not been seen yet can never be seen.
    else if (end === MAX_LOOK_BYTES) this.#reject({ reason: 'hello_malformed', detail: 'it is too long' });
    else this.#loop.poller.change(this, ON_CHANGES);
  }

  /** Closes a connection for which the proxy has failed. */
  override fault(error: unknown): void {
    if (this.fd < 0) return;
    this.#close();
    this.#owner.lost(error);
  }

  /** Closes the connection because its listener closes. */
  drop(): void {
    if (this.fd >= 0) this.fault(null);
  }

  /** The deadline has passed. */
  expire(): void {
    this.#reject(this.#door.timedOut());
  }

  /** Judges the first `end` bytes of the input. Returns false if more bytes decide. */
  #judge(end: number): boolean {
    const { input } = this.#loop;
    let start = 0;
    for (;;) {
      const verdict = this.#door.look(input.bytes, start, end);
      if (verdict === 'more') return false;
      if ('facts' in verdict) {
        this.#leave();
        this.#owner.entered(this, verdict.facts, this.#since);
        return true;
      }
      if ('reason' in verdict) {
        this.#reject(verdict);
        return true;
      }
      // The bytes are there, so that they come in one piece.
      const header = start + verdict.consume;
      if (header > end || input.recv(this.fd, start, header) !== verdict.consume) {
        throw new Error(`${verdict.consume} bytes of a PROXY header are not there`);
      }
      start = header;
    }
  }

  #reject(refusal: Refusal): void {
    this.#close();
    const seconds = (this.#loop.wheel.now - this.#since) / 1000;
    this.#owner.rejected({ ...refusal, peer: this.#peer, seconds });
  }

  #close(): void {
    this.#leave();
    this.#loop.poller.close(this);
    this.#door.abandon();
  }

  /** It waits no longer. */
  #leave(): void {
    this.#loop.wheel.disarm(this.deadline);
    this.#waiting.delete(this);
  }
}

/** The end of the time for all that a connection must send first. */
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
