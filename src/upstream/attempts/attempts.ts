import type { OutlierFailure } from '../../config/types/cluster.ts';
import type { PickContext } from '../balancers/balancer.ts';
import type { ConnectFailure, Endpoint } from '../endpoint.ts';
import { FAILURES, type Limit } from './failure-table.ts';

/** The cluster, as {@link Attempts} needs it. */
export interface AttemptSource {
  /** All endpoints, including those that take no connections. */
  readonly endpoints: Iterable<Endpoint>;
  /** Chooses an endpoint that is not excluded; null if there is none. */
  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null;
  /** Whether the cluster has its max number of connections. */
  readonly full: boolean;
  /**
   * Closes an idle connection that counts for a limit, so that a client gets its place. Returns whether one was closed.
   *
   * @param endpoint whose connection to close; null for any endpoint's
   * @param client its address
   */
  makeRoom(endpoint: Endpoint | null, client: string): boolean;
  /** Whether the process has a descriptor left for a dial. */
  mayDial(): boolean;
  /** Takes one retry of the cluster's budget; false if none is left. */
  takeRetry(): boolean;
  countLimit(limit: Limit): void;
  /** Tells the outlier detection that an endpoint has failed a client of this address. */
  failed(endpoint: Endpoint, kind: OutlierFailure, client: string): void;
  /** Returns the Set-Cookie header of a sticky cluster; null for none. */
  cookieFor(endpoint: Endpoint, context: PickContext, secure: boolean): string | null;
}

const NONE: ReadonlySet<Endpoint> = new Set();

/**
 * The endpoints that are tried, one after the other, for one connection. Each endpoint that {@link next} returns counts a
 * connection until {@link fail} or `Endpoint.release`.
 */
export class Attempts {
  /** Why the last endpoint failed; null before the first failure. */
  lastFailure: ConnectFailure | null = null;
  /** The limit that made {@link next} return null; null if it was none. */
  limit: Limit | null = null;
  readonly #source: AttemptSource;
  readonly #context: PickContext;
  #failed: Set<Endpoint> | null = null;
  #retriesLeft: number;

  constructor(source: AttemptSource, context: PickContext, retries: number) {
    this.#source = source;
    this.#context = context;
    this.#retriesLeft = retries;
  }

  /**
   * Returns the next endpoint, and counts a connection to it; null if all have failed, no retry is left, or a limit is
   * reached.
   *
   * @param hasConnection whether a kept connection to the endpoint spares the dial
   */
  next(hasConnection: (endpoint: Endpoint) => boolean = never): Endpoint | null {
    const source = this.#source;
    const retry = this.lastFailure === null ? null : FAILURES[this.lastFailure].retry;
    if (retry !== null && (this.#retriesLeft === 0 || retry === 'none')) return null;
    if (source.full && !source.makeRoom(null, this.#context.source)) return this.#limited('max_connections');
    const endpoint = this.#pick();
    if (endpoint === null) return null;
    if (!hasConnection(endpoint) && !source.mayDial()) return this.#limited('descriptors');
    if (retry !== null) {
      if (retry === 'budgeted' && !source.takeRetry()) return this.#limited('retry_budget');
      this.#retriesLeft--;
    }
    endpoint.acquire();
    return endpoint;
  }

  /**
   * Counts the failure of an endpoint, which is not tried again for this connection.
   *
   * @param kind that the outlier detection counts; null if the failure does not count against the endpoint
   */
  fail(endpoint: Endpoint, reason: ConnectFailure, kind: OutlierFailure | null): void {
    endpoint.release();
    endpoint.countFailure(reason);
    (this.#failed ??= new Set()).add(endpoint);
    this.lastFailure = reason;
    if (kind !== null && !FAILURES[reason].isOwn) this.#source.failed(endpoint, kind, this.#context.source);
  }

  /**
   * Counts a connection that the endpoint accepted at layer 4, or an answer at layer 7 that is no server error.
   *
   * @param seconds that the endpoint took for it
   */
  succeed(endpoint: Endpoint, seconds: number): void {
    endpoint.countConnect(seconds);
  }

  /**
   * Counts a well-formed answer at layer 7, which the client gets. A status of 500 to 599 is a server error, which the
   * outlier detection may count.
   *
   * @param seconds that the endpoint took for it
   */
  answered(endpoint: Endpoint, status: number, seconds: number): void {
    if (status < 500 || status > 599) {
      this.succeed(endpoint, seconds);
      return;
    }
    endpoint.countServerError(seconds);
    this.#source.failed(endpoint, '5xx', this.#context.source);
  }

  /**
   * Returns the Set-Cookie header that brings the client back to this endpoint; null if the cluster is not sticky, or the
   * client has that cookie.
   *
   * @param secure whether the client uses TLS, to the proxy or to a trusted proxy in front
   */
  cookieFor(endpoint: Endpoint, secure: boolean): string | null {
    return this.#source.cookieFor(endpoint, this.#context, secure);
  }

  /** Returns an endpoint that is not full; null if there is none. */
  #pick(): Endpoint | null {
    const source = this.#source;
    const first = source.pick(this.#context, this.#failed ?? NONE);
    if (first?.full !== true) return first;
    const excluded = new Set(this.#failed ?? NONE);
    for (const endpoint of source.endpoints) if (endpoint.full) excluded.add(endpoint);
    const other = source.pick(this.#context, excluded);
    if (other !== null) return other;
    return source.makeRoom(first, this.#context.source) ? first : this.#limited('endpoint_max_connections');
  }

  #limited(limit: Limit): null {
    this.limit = limit;
    this.#source.countLimit(limit);
    return null;
  }
}

function never(): boolean {
  return false;
}
