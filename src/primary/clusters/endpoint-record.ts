import type { EndpointHealth, EndpointState } from '../../protocol/cluster-state.ts';

/** What the configuration and look-ups say of an endpoint. */
export type EndpointFacts = Omit<EndpointState, 'health' | 'warmLeftMs'>;

/** What keeps an endpoint from being up. Where more than one does, the last of these is its health. */
const FAULTS = ['down', 'ejected', 'draining'] as const;
type Fault = (typeof FAULTS)[number];

interface Listeners {
  /** Its health is another. */
  readonly onChange: (before: EndpointHealth) => void;
  /** It has been found down, whatever else is the matter with it. */
  readonly onDown?: () => void;
}

/** All that the primary knows of one endpoint. */
export class EndpointRecord {
  facts: EndpointFacts;
  /** Since when its health is what it is, in milliseconds since 1970, and why. */
  since = Date.now();
  reason = '';
  /** What only grows; shared with the record that it takes the place of. */
  counts = { probes: 0, probeFailures: 0, probesUnmade: 0, ejections: 0 };
  /** Of the last probe that could be made: its end in milliseconds since 1970, its duration, and its failure. */
  lastProbe: { readonly at: number; readonly ms: number; readonly failure: string | null } | null = null;
  /** Where its probes were good or bad in a row: how often, good ones above 0. */
  streak = 0;
  /** What holds of it now, each with its reason. */
  readonly #faults = new Map<Fault, string>();
  #warmUntil = 0;
  readonly #slowStartMs: number;
  readonly #listeners: Listeners;

  constructor(facts: EndpointFacts, slowStartMs: number, listeners: Listeners) {
    this.facts = facts;
    this.#slowStartMs = slowStartMs;
    this.#listeners = listeners;
  }

  get health(): EndpointHealth {
    return FAULTS.findLast((fault) => this.#faults.has(fault)) ?? 'up';
  }

  get ejected(): boolean {
    return this.#faults.has('ejected');
  }

  get down(): boolean {
    return this.#faults.has('down');
  }

  setDown(down: boolean, reason: string): void {
    const before = this.down;
    this.#change('down', down, reason);
    if (down && !before) this.#listeners.onDown?.();
  }

  setEjected(ejected: boolean, reason: string): void {
    if (ejected && !this.ejected) this.counts.ejections++;
    this.#change('ejected', ejected, reason);
  }

  setDraining(draining: boolean, reason: string): void {
    this.#change('draining', draining, reason);
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
    this.#warmUntil = other.#warmUntil;
    if (probed) {
      this.lastProbe = other.lastProbe;
      this.streak = other.streak;
    }
    for (const fault of FAULTS) {
      if (fault === 'down' && !probed) continue;
      const reason = fault === 'ejected' && !ejects ? undefined : other.#faults.get(fault);
      if (reason === undefined) this.#faults.delete(fault);
      else this.#faults.set(fault, reason);
    }
    const { health } = this;
    if (health === other.health) this.since = other.since;
    this.reason = health === other.health ? other.reason : health === 'up' ? '' : this.#faults.get(health)!;
  }

  /** Lets its slow start begin. */
  warm(): void {
    this.#warmUntil = Date.now() + this.#slowStartMs;
  }

  state(): EndpointState {
    return { ...this.facts, health: this.health, warmLeftMs: Math.max(0, this.#warmUntil - Date.now()) };
  }

  #change(fault: Fault, holds: boolean, reason: string): void {
    const before = this.health;
    if (holds) this.#faults.set(fault, reason);
    else this.#faults.delete(fault);
    const { health } = this;
    if (health === before) return;
    this.since = Date.now();
    // Where another fault comes to light, its own reason counts.
    this.reason = health === 'up' ? reason : this.#faults.get(health)!;
    if (health === 'up') this.warm();
    this.#listeners.onChange(before);
  }
}
