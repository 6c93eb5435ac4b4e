import type { OutlierFailure } from '../config/types/cluster.ts';
import type { OwnShortage } from '../core/shortage.ts';
import type { CLUSTER_LIMITS } from '../telemetry/names.ts';
import type { ConnectFailure, Endpoint } from './endpoint.ts';
import type { PickContext } from './pick-context.ts';

/** Why a cluster gives out no endpoint although it has some. */
export type Limit = (typeof CLUSTER_LIMITS)[number];

/** What {@link Attempts} needs of its cluster. */
export interface AttemptSource {
  /** All endpoints, those included that take no connections. */
  readonly endpoints: Iterable<Endpoint>;
  /** The endpoint of choice that is not among the excluded ones; null where there is none. */
  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null;
  /** Whether the cluster has all the connections that it may have. */
  readonly full: boolean;
  /**
   * Closes an idle connection that is counted, to the endpoint or to any, in favour of a client; false if none may close.
   *
   * @param client its address
   */
  makeRoom(endpoint: Endpoint | null, client: string): boolean;
  /** Whether the process has a descriptor left for a dial. */
  mayDial(): boolean;
  /** Takes one retry of what the cluster may do at this time; false where there is none left. */
  takeRetry(): boolean;
  countLimit(limit: Limit): void;
  /** Tells the outlier detection that an endpoint has failed a client of this address. */
  failed(endpoint: Endpoint, kind: OutlierFailure, client: string): void;
  /** The Set-Cookie header of a sticky cluster; null for none. */
  cookieFor(endpoint: Endpoint, context: PickContext, secure: boolean): string | null;
}

const NONE: ReadonlySet<Endpoint> = new Set();

/**
 * The endpoints that are tried, one after the other, for one connection. Each that was given out counts as a
 * connection of its endpoint until {@link fail} or `Endpoint.release`.
 */
export class Attempts {
  /** Why the last endpoint failed; null while none has. */
  lastFailure: ConnectFailure | null = null;
  /** What kept the last {@link next} from giving out an endpoint; null where it was no limit. */
  limit: Limit | null = null;
  readonly #source: AttemptSource;
  readonly #context: PickContext;
  #failed: Set<Endpoint> | null = null;
  #retriesLeft: number;
  /** Whether a shortage of the proxy's own would fail every other endpoint too. */
  #hopeless = false;
  /** Whether the last dial never left this machine, so that a retry adds no load. */
  #unsent = false;

  constructor(source: AttemptSource, context: PickContext, retries: number) {
    this.#source = source;
    this.#context = context;
    this.#retriesLeft = retries;
  }

  /**
   * Returns the next endpoint, counted as connected; null if all have failed, no retry is left, or a limit is reached.
   *
   * @param hasConnection whether a connection to the endpoint is kept, so that it is not dialled
   */
  next(hasConnection: (endpoint: Endpoint) => boolean = never): Endpoint | null {
    const source = this.#source;
    const retrying = this.#failed !== null;
    if (retrying && (this.#retriesLeft === 0 || this.#hopeless)) return null;
    if (source.full && !source.makeRoom(null, this.#context.source)) return this.#limited('max_connections');
    const endpoint = this.#pick();
    if (endpoint === null) return null;
    if (!hasConnection(endpoint) && !source.mayDial()) return this.#limited('descriptors');
    if (retrying) {
      if (!this.#unsent && !source.takeRetry()) return this.#limited('retry_budget');
      this.#retriesLeft--;
    }
    endpoint.acquire();
    return endpoint;
  }

  /**
   * Notes that the endpoint could not be used: it is not tried again for this connection. A shortage of the proxy's own
   * does not count against the endpoint, and costs no retry of the budget.
   *
   * @param kind how the endpoint has failed; null if the failure does not count against it
   */
  fail(endpoint: Endpoint, reason: ConnectFailure, kind: OutlierFailure | null): void {
    endpoint.release();
    endpoint.countFailure(reason);
    (this.#failed ??= new Set()).add(endpoint);
    this.lastFailure = reason;
    this.#hopeless = reason === 'own_shortage';
    this.#unsent = isOwn(reason);
    if (kind !== null && !this.#unsent) this.#source.failed(endpoint, kind, this.#context.source);
  }

  /** Counts a connection that the endpoint took at layer 4, or an answer at layer 7 that is no server error. */
  succeed(endpoint: Endpoint): void {
    endpoint.countConnect();
  }

  /**
   * Counts a well-formed answer at layer 7, which the client gets. The outlier detection may count a server error; a status
   * above 599 is none.
   */
  answered(endpoint: Endpoint, status: number): void {
    if (status < 500 || status > 599) {
      this.succeed(endpoint);
      return;
    }
    endpoint.countServerError();
    this.#source.failed(endpoint, '5xx', this.#context.source);
  }

  /**
   * The Set-Cookie header that brings the client back to this endpoint; null where the cluster is not sticky, or
   * the client has that cookie.
   *
   * @param secure whether the client uses TLS, towards us or towards a trusted proxy in front
   */
  cookieFor(endpoint: Endpoint, secure: boolean): string | null {
    return this.#source.cookieFor(endpoint, this.#context, secure);
  }

  /** An endpoint that is not full. */
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

/** Whether a dial has failed by a shortage of the proxy's own, which says nothing about the endpoint. */
export function isOwn(reason: ConnectFailure): reason is OwnShortage {
  return reason === 'own_shortage' || reason === 'own_ports';
}
