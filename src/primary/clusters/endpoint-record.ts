import type { EndpointHealth, EndpointState } from '../../protocol/cluster-state.ts';

/** The facts about an endpoint that come from the configuration and look-ups. */
export type EndpointFacts = Omit<EndpointState, 'health' | 'warmLeftMs'>;

/** Reasons for an endpoint not to be up. Of several, the last in this list is its health. */
const FAULTS = ['down', 'ejected', 'draining'] as const;
type Fault = (typeof FAULTS)[number];

/** The owner of a cluster's records, one for all of them. */
export interface RecordOwner {
  /** Duration of a slow start in milliseconds; 0 for none. */
  readonly slowStartMs: number;
  /** Called when the health has changed. */
  changed(record: EndpointRecord, before: EndpointHealth): void;
  /** Called when the endpoint has been found down, whatever its health was. */
  wentDown(record: EndpointRecord): void;
}

/** Counters since the start of the process. */
interface EndpointCounts {
  probes: number;
  probeFailures: number;
  probesUnmade: number;
  ejections: number;
}

/** A probe that could be made. */
interface LastProbe {
  /** Its end in milliseconds since 1970. */
  at: number;
  ms: number;
  failure: string | null;
}

const NO_COUNTS: Readonly<EndpointCounts> = { probes: 0, probeFailures: 0, probesUnmade: 0, ejections: 0 };

/**
 * The primary's knowledge of one endpoint. There may be ten thousand, most of which are up and never fail: what only some of
 * them need is made at its first use.
 */
export class EndpointRecord {
  /** When the health last changed, in milliseconds since 1970. */
  since = Date.now();
  /** Why the health last changed. */
  reason = '';
  /** Null before the first. Written again by each probe: a new object each time would be garbage of the old generation. */
  #lastProbe: LastProbe | null = null;
  /** Probes in a row with the same result: good ones above 0, bad ones below. */
  streak = 0;
  /** Facts and health as the workers are told. Replaced by another object when any of it changes. */
  #state: EndpointState;
  /** The record that replaces this one goes on with the same object. Null until something is counted. */
  #counts: EndpointCounts | null = null;
  /** The reason of each fault of now. Null without faults. */
  #faults: Map<Fault, string> | null = null;
  /** When the slow start is over, in milliseconds since 1970; 0 if there is none. */
  #warmUntil = 0;
  readonly #owner: RecordOwner;

  constructor(facts: EndpointFacts, owner: RecordOwner) {
    this.#state = { ...facts, health: 'up', warmLeftMs: 0 };
    this.#owner = owner;
  }

  get facts(): EndpointFacts {
    return this.#state;
  }

  set facts(facts: EndpointFacts) {
    const { health, warmLeftMs } = this.#state;
    this.#state = { ...facts, health, warmLeftMs };
  }

  get counts(): Readonly<EndpointCounts> {
    return this.#counts ?? NO_COUNTS;
  }

  get health(): EndpointHealth {
    return this.#state.health;
  }

  get ejected(): boolean {
    return this.#holds('ejected');
  }

  get down(): boolean {
    return this.#holds('down');
  }

  /** The last probe that could be made; null for none. */
  get lastProbe(): Readonly<LastProbe> | null {
    return this.#lastProbe;
  }

  /** Notes a probe that is over. @param at its end. @param ms its duration. @param failure null if it has passed */
  noteProbe(at: number, ms: number, failure: string | null): void {
    const last = (this.#lastProbe ??= { at, ms, failure });
    last.at = at;
    last.ms = ms;
    last.failure = failure;
  }

  /** Adds one to a counter. */
  count(name: keyof EndpointCounts): void {
    this.#counts ??= { ...NO_COUNTS };
    this.#counts[name]++;
  }

  setDown(down: boolean, reason: string): void {
    const before = this.down;
    this.#change('down', down, reason);
    if (down && !before) this.#owner.wentDown(this);
  }

  setEjected(ejected: boolean, reason: string): void {
    if (ejected && !this.ejected) this.count('ejections');
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
    this.#counts = other.#counts;
    this.#warmUntil = other.#warmUntil;
    // A copy: each record writes its last probe in place, and both may be probed until the change is decided.
    const last = other.#lastProbe === null ? null : { ...other.#lastProbe };
    this.#lastProbe ??= last;
    if (probed) {
      this.#lastProbe = last;
      this.streak = other.streak;
    }
    for (const fault of FAULTS) {
      if (fault === 'down' && !probed) continue;
      const reason = fault === 'ejected' && !ejects ? undefined : other.#faults?.get(fault);
      this.#note(fault, reason ?? null);
    }
    const { health } = this;
    if (health === other.health) this.since = other.since;
    this.reason = health === other.health ? other.reason : health === 'up' ? '' : this.#faults!.get(health)!;
  }

  /** Begins the slow start. */
  warm(): void {
    const { slowStartMs } = this.#owner;
    this.#warmUntil = slowStartMs === 0 ? 0 : Date.now() + slowStartMs;
  }

  /** Returns facts and health for the workers: the same object as long as they are the same. A slow start changes them. */
  state(): EndpointState {
    const warmLeftMs = this.#warmUntil === 0 ? 0 : Math.max(0, this.#warmUntil - Date.now());
    if (warmLeftMs === 0) this.#warmUntil = 0;
    if (warmLeftMs !== this.#state.warmLeftMs) this.#state = { ...this.#state, warmLeftMs };
    return this.#state;
  }

  #holds(fault: Fault): boolean {
    return this.#faults !== null && this.#faults.has(fault);
  }

  #change(fault: Fault, holds: boolean, reason: string): void {
    const before = this.health;
    this.#note(fault, holds ? reason : null);
    const { health } = this;
    if (health === before) return;
    this.since = Date.now();
    // A fault that was hidden by this one has a reason of its own.
    this.reason = health === 'up' ? reason : this.#faults!.get(health)!;
    if (health === 'up') this.warm();
    this.#owner.changed(this, before);
  }

  /** @param reason null if the fault does not hold */
  #note(fault: Fault, reason: string | null): void {
    if (reason !== null) (this.#faults ??= new Map()).set(fault, reason);
    else if (this.#faults !== null && this.#faults.delete(fault) && this.#faults.size === 0)
      this.#faults = null;
    const health = FAULTS.findLast((one) => this.#holds(one)) ?? 'up';
    if (health !== this.#state.health) this.#state = { ...this.#state, health };
  }
}
