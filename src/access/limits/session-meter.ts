import type { MeteredReader, MeterVerdict, TrafficMeter } from '../contract/traffic-meter.ts';
import { TOO_MANY_MESSAGES, WITHIN, type KeyedLimit } from './keyed-limit.ts';
import { MAX_AHEAD, type Waiting } from './limit-queues.ts';

/** A slot of a limit that the session holds. */
export interface MeteredSlot {
  readonly limit: KeyedLimit;
  readonly slot: number;
}

const MESSAGES = 'message rate exceeded';
const BYTES = 'byte rate exceeded';

/** Counts what one session's client sends, against all limits that apply. */
export class SessionMeter implements TrafficMeter, Waiting {
  excess: TrafficMeter['excess'] = { code: 1008, reason: MESSAGES };
  lastMessages = 0;
  lastBytes = 0;
  ahead = 0;
  /** Since its last turn. */
  #reads = 0;
  readonly #slots: readonly MeteredSlot[];
  readonly #clock: () => number;
  #reader: MeteredReader | null = null;
  /** The slot whose queue the session waits in. Null for none. */
  #waitsFor: MeteredSlot | null = null;

  /** @param slots at least one */
  constructor(slots: readonly MeteredSlot[]) {
    this.#slots = slots;
    this.#clock = slots[0]!.limit.clock;
  }

  get isOverLimit(): boolean {
    const now = this.#clock();
    return this.#slots.some(
      ({ limit, slot }) => limit.settings.over === 'slow' && limit.isInDebt(slot, 0, 0, now),
    );
  }

  count(messages: number, bytes: number): MeterVerdict {
    const now = this.#clock();
    let verdict: MeterVerdict = 'go';
    this.#reads++;
    for (const metered of this.#slots) {
      const { limit } = metered;
      const excess = limit.charge(metered.slot, messages, bytes, now);
      if (excess === WITHIN || verdict === 'close') continue;
      limit.counts.refused(excess === TOO_MANY_MESSAGES ? 'messages' : 'bytes');
      verdict = limit.settings.over;
      if (verdict === 'close') this.#exceed(metered, excess);
    }
    if (verdict === 'slow') {
      this.lastMessages = messages;
      this.lastBytes = bytes;
    }
    return verdict;
  }

  wait(reader: MeteredReader): void {
    this.#leave();
    this.#reader = reader;
    this.ahead = Math.min(this.ahead + Math.max(this.#reads - 1, 0), MAX_AHEAD);
    this.#reads = 0;
    this.#queue(this.#inDebt() ?? this.#slots[0]!);
  }

  cancelWait(reader: MeteredReader): void {
    if (this.#reader === reader) this.end();
  }

  resume(): void {
    this.#waitsFor = null;
    // Another limit may hold the session back as well.
    const next = this.#inDebt();
    if (next !== null) {
      this.#queue(next);
      return;
    }
    const reader = this.#reader;
    this.#reader = null;
    reader?.resumeReading();
  }

  /** Ends the wait together with the session. */
  end(): void {
    this.#reader = null;
    this.#leave();
  }

  #queue(metered: MeteredSlot): void {
    this.#waitsFor = metered;
    metered.limit.queues.add(metered.slot, this);
  }

  #leave(): void {
    const waitsFor = this.#waitsFor;
    this.#waitsFor = null;
    waitsFor?.limit.queues.remove(waitsFor.slot, this);
  }

  #inDebt(): MeteredSlot | null {
    const now = this.#clock();
    return this.#slots.find(({ limit, slot }) => limit.isInDebt(slot, 0, 0, now)) ?? null;
  }

  #exceed({ limit, slot }: MeteredSlot, excess: number): void {
    // Clients without their own slot share a count. Others may have exhausted it.
    const code = limit.isOverflow(slot) ? 1013 : 1008;
    this.excess = { code, reason: excess === TOO_MANY_MESSAGES ? MESSAGES : BYTES };
  }
}
