import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { Channel } from '../../../transport/channel.ts';
import { MAX_STALL_MS } from '../../contract/http-reply.ts';

const CHECK_MS = 10_000;

/**
 * Detects a client that takes no bytes. Bytes leave in large pieces, so it compares how many are still
 * buffered.
 */
export class StallWatch extends Timed {
  readonly #wheel: TimerWheel;
  readonly #channel: Channel;
  readonly #owner: { stalled(): void };
  #waiting = 0;
  #stalledMs = 0;

  constructor(wheel: TimerWheel, channel: Channel, owner: { stalled(): void }) {
    super();
    this.#wheel = wheel;
    this.#channel = channel;
    this.#owner = owner;
  }

  start(): void {
    this.#waiting = this.#channel.writableLength;
    this.#stalledMs = 0;
    this.#wheel.arm(this, CHECK_MS);
  }

  stop(): void {
    this.#wheel.disarm(this);
  }

  override expire(): void {
    const before = this.#waiting;
    this.#waiting = this.#channel.writableLength;
    this.#stalledMs = this.#waiting < before ? 0 : this.#stalledMs + CHECK_MS;
    if (this.#stalledMs < MAX_STALL_MS) this.#wheel.arm(this, CHECK_MS);
    else this.#owner.stalled();
  }
}
