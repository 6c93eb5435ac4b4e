import { Timed, type TimerWheel } from '../core/timer-wheel.ts';
import { pageMetrics } from '../telemetry/names.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

/** How many handshakes of a listener may be under way with endpoints, and how many may wait; over all workers. */
interface GateLimits {
  /** 0 is no limit. */
  readonly maxPendingHandshakes: number;
  readonly maxQueuedHandshakes: number;
}

/** A handshake, as the gate sees it. */
export interface Entrant {
  /** Belongs to the gate; `outside` at first. */
  place: 'outside' | 'queued' | 'inside';
  /** It has waited, and may go on. */
  admitted(): void;
}

/** How often a worker whose queue is not empty looks whether others have made room. */
const LOOK_MS = 100;

/**
 * Bounds the handshakes that a listener has under way with endpoints, so that a storm of clients that reconnect
 * at once meets the endpoints as fast as they can answer, and no faster. Those beyond wait in their order in a
 * queue of the worker; those beyond that are refused. All workers count in their stats pages, and hold the bounds
 * together.
 */
export class HandshakeGate extends Timed {
  readonly #limits: GateLimits;
  readonly #wheel: TimerWheel;
  readonly #own: Float64Array;
  readonly #all: readonly Float64Array[];
  readonly #pendingSlot: number;
  readonly #queuedSlot: number;
  readonly #queue = new Set<Entrant>();
  #admitting = false;

  /** @param all the values of every worker's page, this one's included */
  constructor(
    listener: string,
    limits: GateLimits,
    wheel: TimerWheel,
    page: StatsPage,
    all: readonly Float64Array[],
  ) {
    super();
    this.#limits = limits;
    this.#wheel = wheel;
    this.#own = page.values;
    this.#all = all;
    this.#pendingSlot = page.slot(pageMetrics.handshakesPending, { listener });
    this.#queuedSlot = page.slot(pageMetrics.handshakesQueued, { listener });
  }

  /** Lets a handshake in, or has it wait until it is {@link Entrant.admitted}; false where neither can be. */
  enter(entrant: Entrant): boolean {
    if (this.#queue.size === 0 && this.#hasRoom) {
      this.#admit(entrant);
      return true;
    }
    if (this.#sum(this.#queuedSlot) >= this.#limits.maxQueuedHandshakes) return false;
    entrant.place = 'queued';
    this.#queue.add(entrant);
    this.#own[this.#queuedSlot]! += 1;
    if (this.wheelTick < 0) this.#wheel.arm(this, LOOK_MS);
    return true;
  }

  /** A handshake is over, or given up; others may be admitted before this returns. */
  leave(entrant: Entrant): void {
    const { place } = entrant;
    entrant.place = 'outside';
    if (place === 'queued') this.#unqueue(entrant);
    if (place !== 'inside') return;
    this.#own[this.#pendingSlot]! -= 1;
    this.#admitNext();
  }

  override expire(): void {
    this.#admitNext();
    if (this.#queue.size > 0) this.#wheel.arm(this, LOOK_MS);
  }

  get #hasRoom(): boolean {
    const { maxPendingHandshakes } = this.#limits;
    return maxPendingHandshakes === 0 || this.#sum(this.#pendingSlot) < maxPendingHandshakes;
  }

  #admitNext(): void {
    // One that fails at once leaves within: the loop goes on, and does not begin again.
    if (this.#admitting) return;
    this.#admitting = true;
    while (this.#queue.size > 0 && this.#hasRoom) {
      const [next] = this.#queue;
      this.#unqueue(next!);
      this.#admit(next!);
      next!.admitted();
    }
    this.#admitting = false;
  }

  #admit(entrant: Entrant): void {
    entrant.place = 'inside';
    this.#own[this.#pendingSlot]! += 1;
  }

  #unqueue(entrant: Entrant): void {
    this.#queue.delete(entrant);
    this.#own[this.#queuedSlot]! -= 1;
  }

  #sum(slot: number): number {
    let sum = 0;
    for (const values of this.#all) sum += values[slot]!;
    return sum;
  }
}
