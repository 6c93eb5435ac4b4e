import type { Address } from '../core/address.ts';
import type { EndpointHealth, EndpointState } from '../protocol/cluster-state.ts';
import { CONNECT_FAILURES } from '../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../telemetry/metrics/page-shapes.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';
import type { UpstreamTls } from './upstream-tls.ts';

export type ConnectFailure = (typeof CONNECT_FAILURES)[number];

/** Offsets of the counters in an endpoint's block. The gauge of open connections is the first. */
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

/** Fraction of its weight that an endpoint gets at the beginning of its slow start. */
const MIN_SLOW_START_FACTOR = 0.1;

/**
 * One endpoint of a cluster, from the view of one worker. Its connections keep it after it leaves the
 * cluster.
 */
export class Endpoint {
  readonly cluster: string;
  readonly label: string;
  /** First slot of its series if the slots are lent. Null if the page's table has them. */
  readonly slot: number | null;
  /** The configured address. Its host is the name for TLS. */
  server: Address;
  /** Addresses to dial, in this order. */
  addresses: readonly Address[];
  weight: number;
  priority: number;
  health: EndpointHealth;
  /** Whether a reload has removed it. */
  removed = false;
  /** Whether it accepts connections. False after it has left the cluster. */
  eligible = true;
  /** Slow-start factor of its weight: above 0, up to 1. */
  factor = 1;
  /** Read and written by the balancer only. */
  balance = 0;
  /**
   * Generation of the TLS settings. Grows when new connections would authenticate the endpoint in another
   * way. A kept connection of an earlier generation must not carry new requests.
   */
  tlsGeneration = 0;
  #tls: UpstreamTls | null = null;
  /** Name for SNI and verification. Empty for none. */
  #tlsName = '';
  #maxConnections: number;
  #warmUntil = 0;
  readonly #own: Float64Array;
  readonly #all: readonly Float64Array[];
  readonly #activeSlot: number;
  readonly #clusterSlot: number;

  /**
   * @param page this worker's page, which its connections count in
   * @param all values of every worker's page, including this worker's: {@link active} sums them
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
   * @param now milliseconds on the clock that {@link warm} uses
   */
  update(state: EndpointState, now: number): void {
    this.server = state.server;
    // The dial changes the order: keep it unless the addresses change.
    if (!sameAddresses(this.addresses, state.addresses)) this.addresses = state.addresses;
    this.weight = state.weight;
    this.priority = state.priority;
    this.health = state.health;
    this.#maxConnections = state.maxConnections;
    this.#warmUntil = now + state.warmLeftMs;
  }

  /** Sets the TLS settings of new connections. @param tls null for plain TCP */
  setTls(tls: UpstreamTls | null): void {
    const name = tls === null ? '' : tls.serverName(this.server);
    if (tls === this.#tls && name === this.#tlsName) return;
    this.#tls = tls;
    this.#tlsName = name;
    this.tlsGeneration += 1;
  }

  /** Updates {@link factor}. Returns false after the slow start. */
  warm(now: number, slowStartMs: number): boolean {
    const left = this.#warmUntil - now;
    this.factor =
      left <= 0 || slowStartMs === 0 ? 1 : Math.max(MIN_SLOW_START_FACTOR, 1 - left / slowStartMs);
    return this.factor < 1;
  }

  /** Weight after the slow-start factor. */
  get share(): number {
    return this.weight * this.factor;
  }

  /** Connections of all workers to this endpoint, including dials in progress. */
  get active(): number {
    const all = this.#all;
    let sum = 0;
    for (const values of all) sum += values[this.#activeSlot]!;
    return sum;
  }

  /** Whether the endpoint has reached its max connections. */
  get full(): boolean {
    return this.#maxConnections > 0 && this.active >= this.#maxConnections;
  }

  /** Counts a connection, from its dial on. Each call needs one {@link release}. */
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
   * Counts a successful dial (layer 4) or a response that is not a server error (layer 7).
   *
   * @param seconds response time of the endpoint
   */
  countConnect(seconds: number): void {
    this.#own[this.#activeSlot + CONNECTS]! += 1;
    this.#own[this.#activeSlot + ANSWER_SECONDS]! += seconds;
  }

  /** Counts a response with status 500 to 599. @param seconds response time of the endpoint */
  countServerError(seconds: number): void {
    this.#own[this.#activeSlot + SERVER_ERRORS]! += 1;
    this.#own[this.#activeSlot + ANSWER_SECONDS]! += seconds;
  }

  countFailure(reason: ConnectFailure): void {
    this.#own[this.#activeSlot + FAILURES[reason]]! += 1;
  }

  /** Moves an address that has accepted a connection to the front. */
  prefer(address: Address): void {
    if (address === this.addresses[0] || !this.addresses.includes(address)) return;
    this.addresses = [address, ...this.addresses.filter((other) => other !== address)];
  }
}

function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  const texts = new Set(a.map((address) => JSON.stringify(address)));
  return a.length === b.length && b.every((address) => texts.has(JSON.stringify(address)));
}
