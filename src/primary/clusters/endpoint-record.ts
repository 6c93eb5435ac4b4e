import type { EndpointHealth, EndpointState } from '../../protocol/cluster-state.ts';

/** The facts about an endpoint that come from the configuration and look-ups. */
export type EndpointFacts = Omit<EndpointState, 'health' | 'warmLeftMs'>;

/** Reasons for an endpoint not to be up. Of several, the last in this list is its health. */
const FAULTS = ['down', 'ejected', 'draining'] as const;
type Fault = (typeof FAULTS)[number];

interface Listeners {
  /** Called when the health has changed. */
  readonly onChange: (before: EndpointHealth) => void;
  /** Called when the endpoint has been found down, whatever its health was. */
  readonly onDown?: () => void;
}

/** The primary's knowledge of one endpoint. */
export class EndpointRecord {
  facts: EndpointFacts;
  /** When the health last changed, in milliseconds since 1970. */
  since = Date.now();
  /** Why the health last changed. */
  reason = '';
  /** Counters; the record that replaces this one goes on with the same object. */
  counts = { probes: 0, probeFailures: 0, probesUnmade: 0, ejections: 0 };
  /** The last probe that could be made: its end in milliseconds since 1970, its duration, and its failure. */
  lastProbe: { readonly at: number; readonly ms: number; readonly failure: string | null } | null = null;
  /** Probes in a row with the same result: good ones above 0, bad ones below. */
  streak = 0;
  /** The faults of now, each with its reason. */
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
   * Takes over the state of the same endpoint from before a change of its cluster.
   *
   * @param probed whether the endpoint is probed as before, so that the verdict of the probes stays
   * @param ejects whether the cluster still ejects endpoints, so that an ejection in force stays
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

  /** Begins the slow start. */
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
    // A fault that was hidden by this one has a reason of its own.
    this.reason = health === 'up' ? reason : this.#faults.get(health)!;
    if (health === 'up') this.warm();
    this.#listeners.onChange(before);
  }
}
