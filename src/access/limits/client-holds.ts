import type { LimitHolds } from '../contract/limit-guard.ts';
import type { TrafficMeter } from '../contract/traffic-meter.ts';
import type { Entry, KeyedLimit } from './keyed-limit.ts';
import { SessionMeter, type MeteredSlot } from './session-meter.ts';

/** A slot that a client holds. */
interface Hold extends MeteredSlot {
  readonly limit: KeyedLimit;
  readonly slot: number;
  readonly entry: Entry;
}

/** The places that one client holds in all limits. */
export class ClientHolds implements LimitHolds {
  #holds: Hold[] = [];
  /** Undefined until the first access. */
  #meter: SessionMeter | null | undefined;

  get meter(): TrafficMeter | null {
    if (this.#meter === undefined) {
      const metered = this.#holds.filter(({ limit, entry }) => limit.isMeteredFor(entry));
      this.#meter = metered.length === 0 ? null : new SessionMeter(metered);
    }
    return this.#meter;
  }

  /** Number of holds. Marks a point for {@link undo} and {@link settle}. */
  get size(): number {
    return this.#holds.length;
  }

  /** Adds a pinned slot after everything was taken from it. */
  add(limit: KeyedLimit, slot: number, entry: Entry): void {
    this.#holds.push({ limit, slot, entry });
  }

  /** Releases the newest holds and what they took, because another limit refuses. */
  undo(size: number): void {
    for (const { limit, slot, entry } of this.#holds.splice(size)) {
      limit.undo(slot, entry);
      limit.unpin(slot);
    }
  }

  /** Unpins the newest holds that only the check needed. */
  settle(size: number): void {
    let kept = size;
    for (let index = size; index < this.#holds.length; index++) {
      const hold = this.#holds[index]!;
      if (hold.limit.isHeldBy(hold.entry)) this.#holds[kept++] = hold;
      else hold.limit.unpin(hold.slot);
    }
    this.#holds.length = kept;
  }

  release(): void {
    const holds = this.#holds;
    this.#holds = [];
    this.#meter?.end();
    for (const { limit, slot } of holds) {
      limit.disconnect(slot);
      limit.unpin(slot);
    }
  }
}
