import type { EndpointHealth, EndpointState } from '../protocol/cluster-state.ts';

type EndpointFacts = Omit<EndpointState, 'health' | 'warmLeftMs'>;

/** All that the primary knows of one endpoint. */
export class EndpointRecord {
  facts: EndpointFacts;
  /** Since when its health is what it is, in milliseconds since 1970, and why. */
  since = Date.now();
  reason = '';
  /** What only grows; shared with the record that it takes the place of. */
  counts = { probes: 0, probeFailures: 0, ejections: 0 };
  /** The last probe's end in milliseconds since 1970, its duration, and its failure; null before the first. */
  lastProbe: { readonly at: number; readonly ms: number; readonly failure: string | null } | null = null;
  /** Where its probes were good or bad in a row: how often, good ones above 0. */
  streak = 0;
  #down = false;
  #ejected = false;
  #draining = false;
  #warmUntil = 0;
  readonly #slowStartMs: number;
  readonly #onChange: (record: EndpointRecord, before: EndpointHealth) => void;

  constructor(
    facts: EndpointFacts,
    slowStartMs: number,
    onChange: (record: EndpointRecord, before: EndpointHealth) => void,
  ) {
    this.facts = facts;
    this.#slowStartMs = slowStartMs;
    this.#onChange = onChange;
  }

  get health(): EndpointHealth {
    if (this.#draining) return 'draining';
    if (this.#ejected) return 'ejected';
    return this.#down ? 'down' : 'up';
  }

  get ejected(): boolean {
    return this.#ejected;
  }

  get down(): boolean {
    return this.#down;
  }

  setDown(down: boolean, reason: string): void {
    this.#change(() => (this.#down = down), reason);
  }

  setEjected(ejected: boolean, reason: string): void {
    if (ejected && !this.#ejected) this.counts.ejections++;
    this.#change(() => (this.#ejected = ejected), reason);
  }

  setDraining(draining: boolean, reason: string): void {
    this.#change(() => (this.#draining = draining), reason);
  }

  /**
   * Takes over what is known of the same endpoint from before a change of its cluster.
   *
   * @param probed whether it is probed as it was, so that what the probes have said holds on
   * @param ejects whether its cluster still ejects endpoints, so that an ejection in force holds on
   */
  inherit(other: EndpointRecord, { probed, ejects }: { probed: boolean; ejects: boolean }): void {
    this.counts = other.counts;
    this.lastProbe ??= other.lastProbe;
    this.#draining = other.#draining;
    this.#ejected = ejects && other.#ejected;
    this.#warmUntil = other.#warmUntil;
    if (probed) {
      this.lastProbe = other.lastProbe;
      this.streak = other.streak;
      this.#down = other.#down;
    }
    if (this.health !== other.health) return;
    this.since = other.since;
    this.reason = other.reason;
  }

  /** Lets its slow start begin. */
  warm(): void {
    this.#warmUntil = Date.now() + this.#slowStartMs;
  }

  state(): EndpointState {
    return { ...this.facts, health: this.health, warmLeftMs: Math.max(0, this.#warmUntil - Date.now()) };
  }

  #change(set: () => void, reason: string): void {
    const before = this.health;
    set();
    if (this.health === before) return;
    this.since = Date.now();
    this.reason = reason;
    if (this.health === 'up') this.warm();
    this.#onChange(this, before);
  }
}
