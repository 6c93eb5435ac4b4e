import type { OutlierFailure } from '../../config/types/cluster.ts';
import type { PickContext } from '../balancers/balancer.ts';
import type { ConnectFailure, Endpoint } from '../endpoint.ts';
import { FAILURES, type Limit } from './failure-table.ts';

/** The cluster's functions that {@link Attempts} uses. */
export interface AttemptSource {
  /** All endpoints, including those that accept no connections. */
  readonly endpoints: Iterable<Endpoint>;
  /** Chooses an endpoint outside `excluded`. Null if none is left. */
  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null;
  /** Whether the cluster has reached its max connections. */
  readonly full: boolean;
  /**
   * Closes an idle connection that counts towards a limit, to make room for a client. Returns whether it
   * closed one.
   *
   * @param endpoint endpoint whose connection may be closed; null for any endpoint
   * @param client address of the client
   */
  makeRoom(endpoint: Endpoint | null, client: string): boolean;
  /** Whether the process has a descriptor left for a dial. */
  mayDial(): boolean;
  /** Takes one retry from the cluster's budget. Returns false if none is left. */
  takeRetry(): boolean;
  countLimit(limit: Limit): void;
  /** Reports to outlier detection that an endpoint failed a request of this client. */
  failed(endpoint: Endpoint, kind: OutlierFailure, client: string): void;
  /** Returns the Set-Cookie header of a sticky cluster. Null for none. */
  cookieFor(endpoint: Endpoint, context: PickContext, secure: boolean): string | null;
}

const NONE: ReadonlySet<Endpoint> = new Set();

/**
 * Tries endpoints in turn for one client connection. Each endpoint returned by {@link next} counts a
 * connection until {@link fail} or `Endpoint.release`.
 */
export class Attempts {
  /** Why the last endpoint failed. Null before the first failure. */
  lastFailure: ConnectFailure | null = null;
  /** The limit that ended the attempts. Null if none did. */
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
   * Returns the next endpoint and counts a connection to it. Null if all have failed, no retry is left, or a
   * limit is reached.
   *
   * @param hasConnection whether a kept connection to the endpoint saves the dial
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
   * Counts an endpoint's failure. The endpoint is not tried again for this connection.
   *
   * @param kind kind of failure for outlier detection; null if it does not count against the endpoint
   */
  fail(endpoint: Endpoint, reason: ConnectFailure, kind: OutlierFailure | null): void {
    endpoint.release();
    endpoint.countFailure(reason);
    (this.#failed ??= new Set()).add(endpoint);
    this.lastFailure = reason;
    if (kind !== null && !FAILURES[reason].isLocal) this.#source.failed(endpoint, kind, this.#context.source);
  }

  /**
   * Counts a connection accepted at layer 4, or a response at layer 7 that is not a server error.
   *
   * @param seconds response time of the endpoint
   */
  succeed(endpoint: Endpoint, seconds: number): void {
    endpoint.countConnect(seconds);
  }

  /**
   * Counts a well-formed response at layer 7 that is sent to the client. Outlier detection may count a status
   * of 500 to 599.
   *
   * @param seconds response time of the endpoint
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
   * Returns the Set-Cookie header that brings the client back to this endpoint. Null if the cluster is not
   * sticky or the client has the cookie.
   *
   * @param secure whether the client uses TLS, to this proxy or to a trusted proxy in front
   */
  cookieFor(endpoint: Endpoint, secure: boolean): string | null {
    return this.#source.cookieFor(endpoint, this.#context, secure);
  }

  /** Returns an endpoint with room for a connection. Null if none has room. */
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
