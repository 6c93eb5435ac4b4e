import { isDeepStrictEqual } from 'node:util';
import type { OutlierFailure } from '../config/types/cluster.ts';
import type { ClusterSettings } from '../protocol/cluster-record.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import type { EndpointFailure } from '../protocol/from-worker.ts';
import { CLUSTER_LIMITS } from '../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import type { Histogram, StatsPage } from '../telemetry/stats-page.ts';
import { Attempts, type AttemptSource } from './attempts/attempts.ts';
import { FailureLog } from './attempts/failure-log.ts';
import { FailureReports } from './attempts/failure-reports.ts';
import type { Limit } from './attempts/failure-table.ts';
import { RetryBudget } from './attempts/retry-budget.ts';
import type { Balancer, PickContext } from './balancers/balancer.ts';
import { ConsistentHash } from './balancers/consistent-hash.ts';
import { LeastConnections } from './balancers/least-connections.ts';
import { RandomChoice } from './balancers/random-choice.ts';
import { RoundRobin } from './balancers/round-robin.ts';
import { SharedCursor } from './balancers/shared-cursor.ts';
import { SourceIp } from './balancers/source-ip.ts';
import { TwoChoices } from './balancers/two-choices.ts';
import { Endpoint } from './endpoint.ts';
import { membershipOf } from './membership.ts';
import { StickyCookie } from './sticky-cookie.ts';
import { upstreamTls, type UpstreamTls } from './upstream-tls.ts';

/** State shared by all clusters of a worker. */
export interface ClusterContext {
  readonly page: StatsPage;
  /** Values of every worker's page, including this worker's. */
  readonly pages: readonly Float64Array[];
  /** Whether the process has a descriptor left for a dial. */
  readonly descriptors: { mayDial(): boolean };
  /** Secret of this process. Sticky cookies use it if no secret is configured. */
  readonly secret: string;
  /** Called with each failure that outlier detection counts. */
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  /** Milliseconds on the monotonic clock. */
  readonly clock?: () => number;
}

/** Interval between updates of the slow-start factors. */
const SLOW_START_STEP_MS = 100;

/** A named group of endpoints, from the view of one worker. */
export class Cluster implements AttemptSource {
  readonly name: string;
  /** Changes on a reload. */
  config: ClusterSettings;
  /** TLS to the endpoints. Null for plain TCP. Changes on a reload. */
  tls: UpstreamTls | null;
  /** Whether the cluster refuses new connections. */
  draining = false;
  readonly connectDuration: Histogram;
  readonly failureLog: FailureLog;
  /** Makes room under a limit. Set by the owner of idle connections, which count towards the limits. */
  makeRoom: AttemptSource['makeRoom'] = () => false;
  readonly #context: ClusterContext;
  readonly #clock: () => number;
  #balancer: Balancer;
  #sticky: StickyCookie | null;
  #budget: RetryBudget;
  readonly #activeSlot: number;
  readonly #retriesSlot: number;
  readonly #limitSlots: ReadonlyMap<Limit, number>;
  /** Keyed by label. */
  #endpoints = new Map<string, Endpoint>();
  readonly #reports: FailureReports;
  #warming: readonly Endpoint[] = [];
  #warmedAt = 0;

  constructor(config: ClusterSettings, state: ClusterState, context: ClusterContext) {
    const { page } = context;
    const labels = { cluster: config.name };
    this.name = config.name;
    this.config = config;
    this.tls = config.tls === null ? null : upstreamTls(config.tls);
    this.connectDuration = page.histogram(pageMetrics.endpointConnectDuration, labels);
    this.#context = context;
    this.#clock = context.clock ?? (() => performance.now());
    this.#reports = new FailureReports(this.#clock);
    this.failureLog = new FailureLog(this.#clock);
    this.#balancer = createBalancer(config, state, () => this.active);
    this.#sticky =
      config.sticky === null ? null : new StickyCookie(config.sticky, config.name, context.secret);
    this.#budget = new RetryBudget(config.retryBudget, this.#clock);
    this.#activeSlot = page.slot(pageMetrics.clusterConnectionsActive, labels);
    this.#retriesSlot = page.slot(pageMetrics.clusterRetries, labels);
    this.#limitSlots = new Map(
      CLUSTER_LIMITS.map((reason) => [
        reason,
        page.slot(pageMetrics.clusterRejections, { ...labels, reason }),
      ]),
    );
    this.update(state);
  }

  /** Applies a state from the primary. Endpoints that remain keep their counts. */
  update({ endpoints }: ClusterState): void {
    const now = this.#clock();
    const known = this.#endpoints;
    this.#endpoints = new Map();
    for (const state of endpoints) {
      const same = known.get(state.label);
      const { page, pages } = this.#context;
      const endpoint = same?.slot === state.slot ? same : new Endpoint(this.name, state, page, pages);
      endpoint.update(state, now);
      endpoint.setTls(this.tls);
      this.#endpoints.set(state.label, endpoint);
    }
    // DNS answers add new labels as long as the worker lives: drop the sessions of old ones.
    for (const label of this.tls?.sessions.keys() ?? []) {
      if (!this.#endpoints.has(label)) this.tls?.sessions.delete(label);
    }
    for (const endpoint of known.values()) endpoint.eligible = false;
    const all = [...this.#endpoints.values()];
    const eligible = new Set(membershipOf(all, this.config.panicThreshold).eligible);
    for (const endpoint of all) endpoint.eligible = eligible.has(endpoint);
    this.#sticky?.update(all);
    this.#warming = all.filter((endpoint) => endpoint.warm(now, this.config.slowStartMs));
    this.#warmedAt = now;
    this.#balancer.update(all);
  }

  /**
   * Prepares a new configuration of this cluster. Endpoints that remain keep their counts. Commit marks the
   * others as `Endpoint.removed`.
   *
   * @returns a function that commits the configuration
   * @throws if the TLS settings are invalid
   */
  prepare(config: ClusterSettings, state: ClusterState): () => void {
    const before = this.config;
    const same = (key: keyof ClusterSettings): boolean => isDeepStrictEqual(config[key], before[key]);
    const { secret } = this.#context;
    const tls = same('tls') ? this.tls : config.tls === null ? null : upstreamTls(config.tls);
    const balancer =
      same('balancer') && same('hashOn') && same('loadFactor')
        ? this.#balancer
        : createBalancer(config, state, () => this.active);
    const sticky = same('sticky')
      ? this.#sticky
      : config.sticky === null
        ? null
        : new StickyCookie(config.sticky, config.name, secret);
    const budget = same('retryBudget') ? this.#budget : new RetryBudget(config.retryBudget, this.#clock);
    return () => {
      this.config = config;
      this.tls = tls;
      this.#balancer = balancer;
      this.#sticky = sticky;
      this.#budget = budget;
      const known = [...this.#endpoints.values()];
      this.update(state);
      for (const endpoint of known) endpoint.removed = this.#endpoints.get(endpoint.label) !== endpoint;
    };
  }

  /** Marks the cluster as removed from the configuration. */
  retire(): void {
    this.draining = true;
    for (const endpoint of this.#endpoints.values()) endpoint.removed = true;
  }

  /** Starts the attempts for one client connection. */
  attempts(context: PickContext): Attempts {
    if (this.#warming.length > 0) {
      const now = this.#clock();
      if (now - this.#warmedAt >= SLOW_START_STEP_MS) this.#updateSlowStart(now);
    }
    this.#budget.deposit();
    return new Attempts(this, context, this.config.retries);
  }

  /** Whether the balancer chooses by the client's address. */
  get choosesBySource(): boolean {
    const { balancer, hashOn } = this.config;
    return balancer === 'source_ip' || (balancer === 'consistent_hash' && hashOn.kind === 'source_ip');
  }

  /** Connections of all workers to all endpoints, including dials in progress. */
  get active(): number {
    const { pages } = this.#context;
    let sum = 0;
    for (const values of pages) sum += values[this.#activeSlot]!;
    return sum;
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  get full(): boolean {
    const { maxConnections } = this.config;
    return maxConnections > 0 && this.active >= maxConnections;
  }

  mayDial(): boolean {
    return this.#context.descriptors.mayDial();
  }

  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    if (this.draining) return null;
    if (this.#sticky !== null) {
      for (const value of context.sticky) {
        const endpoint = this.#sticky.endpointOf(value);
        if (endpoint?.eligible === true && !excluded.has(endpoint)) return endpoint;
      }
    }
    return this.#balancer.pick(context, excluded);
  }

  takeRetry(): boolean {
    if (!this.#budget.withdraw()) return false;
    this.#context.page.values[this.#retriesSlot]! += 1;
    return true;
  }

  countLimit(limit: Limit): void {
    this.#context.page.values[this.#limitSlots.get(limit)!]! += 1;
  }

  failed(endpoint: Endpoint, kind: OutlierFailure, client: string): void {
    if (this.config.outlier?.failures.includes(kind) !== true) return;
    const count = this.#reports.take(endpoint, kind, client);
    if (count === 0) return;
    this.#context.onEndpointFailed({ cluster: this.name, endpoint: endpoint.label, kind, count, client });
  }

  cookieFor(endpoint: Endpoint, { sticky }: PickContext, secure: boolean): string | null {
    return this.#sticky?.headerFor(endpoint, sticky, secure) ?? null;
  }

  /** Updates the factors of endpoints in their slow start. */
  #updateSlowStart(now: number): void {
    const { slowStartMs } = this.config;
    this.#warmedAt = now;
    this.#warming = this.#warming.filter((endpoint) => endpoint.warm(now, slowStartMs));
    if (this.#warming.length === 0) this.#balancer.update([...this.#endpoints.values()]);
  }
}

function createBalancer(
  { balancer, hashOn, loadFactor }: ClusterSettings,
  { cursor }: ClusterState,
  total: () => number,
): Balancer {
  switch (balancer) {
    case 'round_robin':
      return new RoundRobin(new SharedCursor(cursor));
    case 'least_connections':
      return new LeastConnections();
    case 'random':
      return new RandomChoice();
    case 'p2c':
      return new TwoChoices();
    case 'source_ip':
      return new SourceIp();
    case 'consistent_hash':
      return new ConsistentHash({ bySource: hashOn.kind === 'source_ip', loadFactor, total });
  }
}
