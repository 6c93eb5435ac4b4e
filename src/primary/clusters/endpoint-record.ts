import type { EndpointHealth, EndpointState } from '../../protocol/cluster-state.ts';

/** Facts about an endpoint from the configuration and lookups. */
export type EndpointFacts = Omit<EndpointState, 'health' | 'warmLeftMs'>;

/** Reasons why an endpoint is not up. If several hold, the last in this list is its health. */
const FAULTS = ['down', 'ejected', 'draining'] as const;
type Fault = (typeof FAULTS)[number];

/** The owner of all records of a cluster. */
export interface RecordOwner {
  /** Duration of a slow start in milliseconds; 0 for none. */
  readonly slowStartMs: number;
  /** Called after the health changes. */
  changed(record: EndpointRecord, before: EndpointHealth): void;
  /** Called when probes find the endpoint down, even if its health is worse already. */
  wentDown(record: EndpointRecord): void;
}

/** Counters since the start of the process. */
interface EndpointCounts {
  probes: number;
  probeFailures: number;
  probesUnmade: number;
  ejections: number;
}

/** A completed probe. */
interface LastProbe {
  /** End of the probe, in milliseconds since 1970. */
  at: number;
  ms: number;
  failure: string | null;
}

const NO_COUNTS: Readonly<EndpointCounts> = { probes: 0, probeFailures: 0, probesUnmade: 0, ejections: 0 };

/**
 * The primary's state of one endpoint. There may be ten thousand, and most never fail. Rarely needed parts
 * are therefore created at first use.
 */
export class EndpointRecord {
  /** When the health last changed, in milliseconds since 1970. */
  since = Date.now();
  /** Why the health last changed. */
  reason = '';
  /**
   * Null before the first probe. Updated in place: a new object per probe would become garbage in the old
   * generation.
   */
  #lastProbe: LastProbe | null = null;
  /** Consecutive probes with the same result: positive if they passed, negative if they failed. */
  streak = 0;
  /** Facts and health in the form for workers. Replaced by a new object on each change. */
  #state: EndpointState;
  /** The record that replaces this one shares the object. Null until something is counted. */
  #counts: EndpointCounts | null = null;
  /** The reason of each current fault. Null without faults. */
  #faults: Map<Fault, string> | null = null;
  /** End of the slow start, in milliseconds since 1970; 0 outside one. */
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

  /** The last completed probe; null before the first. */
  get lastProbe(): Readonly<LastProbe> | null {
    return this.#lastProbe;
  }

  /**
   * Records a completed probe.
   *
   * @param at end of the probe, in milliseconds since 1970
   * @param ms duration of the probe
   * @param failure null if the probe passed
   */
  noteProbe(at: number, ms: number, failure: string | null): void {
    const last = (this.#lastProbe ??= { at, ms, failure });
    last.at = at;
    last.ms = ms;
    last.failure = failure;
  }

  /** Increments a counter. */
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
   * Copies the state of the same endpoint from the record that this one replaces.
   *
   * @param probed whether the probes stay the same, so that their verdict stays valid
   * @param ejects whether the cluster still ejects endpoints, so that a current ejection stays
   */
  inherit(other: EndpointRecord, { probed, ejects }: { probed: boolean; ejects: boolean }): void {
    this.#counts = other.#counts;
    this.#warmUntil = other.#warmUntil;
    // Copy it: each record updates its last probe in place, and both may be probed until the change commits
    // or aborts.
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

  /** Starts the slow start. */
  startSlowStart(): void {
    const { slowStartMs } = this.#owner;
    this.#warmUntil = slowStartMs === 0 ? 0 : Date.now() + slowStartMs;
  }

  /**
   * Returns facts and health for workers. It is the same object until they change. A slow start changes it
   * each time.
   */
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
    // If this fault hid another, the other fault's reason applies.
    this.reason = health === 'up' ? reason : this.#faults!.get(health)!;
    if (health === 'up') this.startSlowStart();
    this.#owner.changed(this, before);
  }

  /** @param reason null if the fault has ended */
  #note(fault: Fault, reason: string | null): void {
    if (reason !== null) (this.#faults ??= new Map()).set(fault, reason);
    else if (this.#faults !== null && this.#faults.delete(fault) && this.#faults.size === 0)
      this.#faults = null;
    const health = FAULTS.findLast((one) => this.#holds(one)) ?? 'up';
    if (health !== this.#state.health) this.#state = { ...this.#state, health };
  }
}
