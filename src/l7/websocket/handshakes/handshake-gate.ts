import { FairQueue } from '../../../core/collections/fair-queue.ts';
import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';
import { GATE_REFUSALS } from '../../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../telemetry/metrics/page-shapes.ts';
import type { StatsPage } from '../../../telemetry/stats-page.ts';

/** Max handshakes of a listener across all workers: pending at endpoints, and queued. */
interface GateLimits {
  /** 0 disables the limit. */
  readonly maxPendingHandshakes: number;
  readonly maxQueuedHandshakes: number;
}

/** Why the gate rejects a handshake. */
type GateRefusal = (typeof GATE_REFUSALS)[number];

/** A handshake, as the gate sees it. */
export interface Entrant {
  /** Set by the gate, initially `outside`. */
  place: 'outside' | 'queued' | 'inside';
  /** The client's network. Sources share a queue fairly. */
  readonly source: string;
  /** Called when a queued handshake may proceed. */
  admitted(): void;
  /**
   * Called when the handshake has lost its place in the queue to another source. Its `place` is already
   * `outside`.
   */
  displaced(): void;
}

/** One cluster's part of a listener's gate. */
export interface ClusterGate {
  /** Admits a handshake, or queues it until {@link Entrant.admitted}. Returns false if it is rejected. */
  enter(entrant: Entrant): boolean;
  /** Removes a handshake that has ended. May admit others before it returns. */
  leave(entrant: Entrant): void;
  /** Transfers the place of an admitted handshake to the object that continues the handshake. */
  transfer(from: Entrant, to: Entrant): void;
  /** Counts a handshake whose time in the queue is over. */
  countTimeout(): void;
}

/**
 * Offsets of the counters in the block of a listener and cluster. The gauge of pending handshakes is the
 * first.
 */
const QUEUED = pageShapes.handshakes.offsetOf(pageMetrics.handshakesQueued)!;
const TURNED_AWAY = pageShapes.handshakes.offsetsBy(
  pageMetrics.handshakesTurnedAway,
  'reason',
  GATE_REFUSALS,
);

/** Interval at which a worker with a queue checks for places that other workers have freed. */
const CHECK_PERIOD_MS = 100;

/**
 * Bounds the handshakes that a listener has pending at endpoints. If all clients reconnect at once, they
 * reach the endpoints only as fast as the endpoints answer. The others wait in a queue of the worker, or are
 * refused if the queue is full.
 *
 * Clusters share the places, so that a cluster with slow endpoints cannot take them all (sharing with minimum
 * allocation). Half of the places is divided evenly into reserves, one per cluster. The other half is open to
 * all. The places in the queue are shared in the same way.
 *
 * A freed place goes to the waiting cluster with the fewest places. Within a cluster, the sources take turns.
 * The bounds hold across all workers, which count in their stats pages.
 */
export class HandshakeGate extends Timed {
  readonly #limits: GateLimits;
  readonly #wheel: TimerWheel;
  readonly #pages: readonly Float64Array[];
  readonly #page: StatsPage;
  readonly #listener: string;
  /** First slot of each cluster's block: the gauge of pending handshakes. */
  readonly #slots = new Map<string, number>();
  /** Gates of the clusters that have had handshakes in this worker. */
  readonly #gates = new Map<string, Gate>();
  #admitting = false;
  /** Incremented by each admission from a queue. */
  #turn = 0;

  /**
   * Creates the gate of a listener, without clusters.
   *
   * @param pages values of every worker's page, this one's included
   */
  constructor(
    listener: string,
    limits: GateLimits,
    wheel: TimerWheel,
    page: StatsPage,
    pages: readonly Float64Array[],
  ) {
    super();
    this.#limits = limits;
    this.#wheel = wheel;
    this.#page = page;
    this.#pages = pages;
    this.#listener = listener;
  }

  /** Adds a cluster of the listener, unless it is known. Must be called before the first handshake. */
  add(cluster: string): void {
    if (this.#slots.has(cluster)) return;
    const labels = { listener: this.#listener, cluster };
    this.#slots.set(cluster, this.#page.slot(pageMetrics.handshakesPending, labels));
  }

  /** Returns the gate of one cluster, created at its first use. */
  of(cluster: string): ClusterGate {
    let gate = this.#gates.get(cluster);
    if (gate === undefined) {
      gate = new Gate(this, this.#page.values, this.#slots.get(cluster)!);
      this.#gates.set(cluster, gate);
    }
    return gate;
  }

  /** Whether the cluster may have one more pending handshake. */
  hasRoom(gate: Gate): boolean {
    const { maxPendingHandshakes: limit } = this.#limits;
    return limit === 0 || this.#hasPlace(gate, limit, 0);
  }

  /** Whether the cluster may queue one more handshake. */
  hasQueueRoom(gate: Gate): boolean {
    return this.#hasPlace(gate, this.#limits.maxQueuedHandshakes, QUEUED);
  }

  /** Schedules a check of the queues after {@link CHECK_PERIOD_MS}. */
  watchQueues(): void {
    if (this.wheelTick < 0) this.#wheel.arm(this, CHECK_PERIOD_MS);
  }

  override expire(): void {
    this.admitNext();
    for (const { line } of this.#gates.values()) if (line.size > 0) this.watchQueues();
  }

  /** Admits queued handshakes while there is room. */
  admitNext(): void {
    // A handshake that fails at once leaves inside `admitted`: this loop continues, and no nested loop
    // starts.
    if (this.#admitting) return;
    this.#admitting = true;
    for (let next = this.#next(); next !== null; next = this.#next()) {
      next.turn = ++this.#turn;
      next.admitFirst();
    }
    this.#admitting = false;
  }

  /**
   * Returns the waiting cluster with room and the fewest places. Among equals, the one with the oldest turn.
   */
  #next(): Gate | null {
    let best: Gate | null = null;
    let fewest = Infinity;
    for (const gate of this.#gates.values()) {
      if (gate.line.size === 0 || !this.hasRoom(gate)) continue;
      const pending = this.#sum(gate.slot);
      if (best !== null && (pending > fewest || (pending === fewest && gate.turn > best.turn))) continue;
      best = gate;
      fewest = pending;
    }
    return best;
  }

  /** @param offset offset of the places' gauge in a cluster's block */
  #hasPlace(gate: Gate, limit: number, offset: number): boolean {
    const clusters = this.#slots.size;
    const kept = reservedFor(limit, clusters);
    if (this.#sum(gate.slot + offset) < kept) return true;
    let shared = limit - kept * clusters;
    for (const slot of this.#slots.values()) shared -= Math.max(0, this.#sum(slot + offset) - kept);
    return shared > 0;
  }

  #sum(slot: number): number {
    let sum = 0;
    for (const values of this.#pages) sum += values[slot]!;
    return sum;
  }
}

/** Returns the places reserved for each cluster: at least one if the limit allows it. */
function reservedFor(limit: number, clusters: number): number {
  return Math.max(Math.floor(limit / (2 * clusters)), limit >= clusters ? 1 : 0);
}

class Gate implements ClusterGate {
  /** First slot of the cluster's block: the pending handshakes. */
  readonly slot: number;
  readonly line = new FairQueue<Entrant>();
  /** Turn of the last admission from the queue. */
  turn = 0;
  readonly #whole: HandshakeGate;
  readonly #values: Float64Array;

  constructor(whole: HandshakeGate, values: Float64Array, slot: number) {
    this.#whole = whole;
    this.#values = values;
    this.slot = slot;
  }

  enter(entrant: Entrant): boolean {
    if (this.line.size === 0 && this.#whole.hasRoom(this)) {
      this.#admit(entrant);
      return true;
    }
    if (!this.#whole.hasQueueRoom(this) && !this.#displaceFor(entrant.source)) {
      this.#count('queue_full');
      return false;
    }
    entrant.place = 'queued';
    this.line.push(entrant);
    this.#values[this.slot + QUEUED]! += 1;
    this.#whole.watchQueues();
    return true;
  }

  leave(entrant: Entrant): void {
    const { place } = entrant;
    entrant.place = 'outside';
    if (place === 'queued') {
      this.line.delete(entrant);
      this.#values[this.slot + QUEUED]! -= 1;
    }
    if (place !== 'inside') return;
    this.#values[this.slot]! -= 1;
    this.#whole.admitNext();
  }

  transfer(from: Entrant, to: Entrant): void {
    to.place = from.place;
    from.place = 'outside';
  }

  countTimeout(): void {
    this.#count('timeout');
  }

  /** Admits the first handshake in the queue. */
  admitFirst(): void {
    const entrant = this.line.shift()!;
    this.#values[this.slot + QUEUED]! -= 1;
    this.#admit(entrant);
    entrant.admitted();
  }

  /**
   * Takes a place in the queue from the source with the most. Returns false if `source` has about as many.
   */
  #displaceFor(source: string): boolean {
    const displaced = this.line.evictFor(source);
    if (displaced === null) return false;
    this.#values[this.slot + QUEUED]! -= 1;
    displaced.place = 'outside';
    this.#count('displaced');
    displaced.displaced();
    return true;
  }

  #admit(entrant: Entrant): void {
    entrant.place = 'inside';
    this.#values[this.slot]! += 1;
  }

  #count(reason: GateRefusal): void {
    this.#values[this.slot + TURNED_AWAY[reason]]! += 1;
  }
}
