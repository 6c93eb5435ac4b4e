import type { Address } from '../core/address.ts';
import type { EndpointHealth, EndpointState } from '../protocol/cluster-state.ts';
import { CONNECT_FAILURES } from '../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../telemetry/metrics/page-shapes.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';
import type { UpstreamTls } from './upstream-tls.ts';

export type ConnectFailure = (typeof CONNECT_FAILURES)[number];

/** Places of the counters in the block of an endpoint. The gauge of open connections is the first. */
const CONNECTS = pageShapes.endpoint.offsetOf(pageMetrics.endpointConnects)!;
const ANSWER_SECONDS = pageShapes.endpoint.offsetOf(pageMetrics.endpointAnswerSeconds)!;
const DIALS = pageShapes.endpoint.offsetOf(pageMetrics.endpointDials)!;
const SERVER_ERRORS = pageShapes.endpoint.offsetOf(pageMetrics.endpointServerErrors)!;
const FAILURES = Object.fromEntries(
  CONNECT_FAILURES.map((reason) => [
    reason,
    pageShapes.endpoint.offsetOf(pageMetrics.endpointConnectFailures, { reason })!,
  ]),
) as Record<ConnectFailure, number>;

/** Fraction of its weight that an endpoint has when its slow start begins. */
const MIN_FACTOR = 0.1;

/** One address of a cluster, as one worker sees it. Its connections keep it when it leaves the cluster. */
export class Endpoint {
  readonly cluster: string;
  readonly label: string;
  /** First slot of its series if they are lent; null if the page's table has them. */
  readonly slot: number | null;
  /** The configured address. Its host is the name that TLS asks for. */
  server: Address;
  /** Where to connect, in the order in which they are tried. */
  addresses: readonly Address[];
  weight: number;
  priority: number;
  health: EndpointHealth;
  /** Whether a change of the configuration has taken it away. */
  removed = false;
  /** Whether it takes connections; false once it has left the cluster. */
  eligible = true;
  /** Fraction of its weight during its slow start: above 0, up to 1. */
  factor = 1;
  /** Set and read by the balancer only. */
  balance = 0;
  /**
   * Number that grows whenever new connections begin to prove the endpoint in another way. A kept connection of an earlier
   * number must not carry new requests.
   */
  trust = 0;
  #tls: UpstreamTls | null = null;
  /** The name that connections ask for and verify; empty for none. */
  #tlsName = '';
  #maxConnections: number;
  #warmUntil = 0;
  readonly #own: Float64Array;
  readonly #all: readonly Float64Array[];
  readonly #activeSlot: number;
  readonly #clusterSlot: number;

  /**
   * @param page where this worker counts
   * @param all the values of every worker's page, this one's included: connections are counted over all
   */
  constructor(cluster: string, state: EndpointState, page: StatsPage, all: readonly Float64Array[]) {
    const { label, slot, server, addresses, weight, priority, health, maxConnections } = state;
    this.cluster = cluster;
    this.label = label;
    this.slot = slot;
    this.server = server;
    this.addresses = addresses;
    this.weight = weight;
    this.priority = priority;
    this.health = health;
    this.#maxConnections = maxConnections;
    this.#own = page.values;
    this.#all = all;
    this.#activeSlot = slot ?? page.slot(pageMetrics.endpointConnectionsActive, { cluster, endpoint: label });
    this.#clusterSlot = page.slot(pageMetrics.clusterConnectionsActive, { cluster });
  }

  /**
   * Applies a new state of the same label and slot.
   *
   * @param now milliseconds, by the clock that {@link warm} gets
   */
  update(state: EndpointState, now: number): void {
    this.server = state.server;
    // The dial sets the order: it is kept while the addresses are the same.
    if (!sameAddresses(this.addresses, state.addresses)) this.addresses = state.addresses;
    this.weight = state.weight;
    this.priority = state.priority;
    this.health = state.health;
    this.#maxConnections = state.maxConnections;
    this.#warmUntil = now + state.warmLeftMs;
  }

  /** Sets how new connections prove the endpoint. @param tls null for plain TCP */
  proveBy(tls: UpstreamTls | null): void {
    const name = tls === null ? '' : tls.serverName(this.server);
    if (tls === this.#tls && name === this.#tlsName) return;
    this.#tls = tls;
    this.#tlsName = name;
    this.trust += 1;
  }

  /** Sets {@link factor} for this moment. Returns false if the slow start is over. */
  warm(now: number, slowStartMs: number): boolean {
    const left = this.#warmUntil - now;
    this.factor = left <= 0 || slowStartMs === 0 ? 1 : Math.max(MIN_FACTOR, 1 - left / slowStartMs);
    return this.factor < 1;
  }

  /** Its weight at this moment. */
  get share(): number {
    return this.weight * this.factor;
  }

  /** Connections of all workers to this endpoint, those being dialled included. */
  get active(): number {
    const all = this.#all;
    let sum = 0;
    for (const values of all) sum += values[this.#activeSlot]!;
    return sum;
  }

  /** Whether the endpoint has its max number of connections. */
  get full(): boolean {
    return this.#maxConnections > 0 && this.active >= this.#maxConnections;
  }

  /** Counts a connection, from its dial on. One {@link release} follows each. */
  acquire(): void {
    this.#own[this.#activeSlot]! += 1;
    this.#own[this.#clusterSlot]! += 1;
  }

  release(): void {
    this.#own[this.#activeSlot]! -= 1;
    this.#own[this.#clusterSlot]! -= 1;
  }

  /** Counts an established connection, TLS included. */
  countDial(): void {
    this.#own[this.#activeSlot + DIALS]! += 1;
  }

  /**
   * Counts a dial at layer 4, and an answer at layer 7 that is no server error.
   *
   * @param seconds that the endpoint took for it
   */
  countConnect(seconds: number): void {
    this.#own[this.#activeSlot + CONNECTS]! += 1;
    this.#own[this.#activeSlot + ANSWER_SECONDS]! += seconds;
  }

  /** Counts an answer of 500 to 599. @param seconds that the endpoint took for it */
  countServerError(seconds: number): void {
    this.#own[this.#activeSlot + SERVER_ERRORS]! += 1;
    this.#own[this.#activeSlot + ANSWER_SECONDS]! += seconds;
  }

  countFailure(reason: ConnectFailure): void {
    this.#own[this.#activeSlot + FAILURES[reason]]! += 1;
  }

  /** Moves an address that has accepted to the front. */
  prefer(address: Address): void {
    if (address === this.addresses[0] || !this.addresses.includes(address)) return;
    this.addresses = [address, ...this.addresses.filter((other) => other !== address)];
  }
}

function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  const texts = new Set(a.map((address) => JSON.stringify(address)));
  return a.length === b.length && b.every((address) => texts.has(JSON.stringify(address)));
}
