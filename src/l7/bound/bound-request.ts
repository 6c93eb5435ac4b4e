import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { challengesConnection, type ConnectionLogin } from '../../wire/http/connection-auth.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Asker, ClientConnection } from '../contract/client-connections.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';
import { boundKeepAlive, keepAliveHint } from '../upstream/keep-alive-hint.ts';
import type { Bound, BoundConnections } from './bound-connections.ts';

/** What the bound requests of one route share. */
interface BoundTerms {
  readonly bound: BoundConnections;
  readonly cluster: Cluster;
  /** Max time that an idle connection is kept, in milliseconds. */
  readonly keepAliveMs: number;
  /** The version of the PROXY header that connections to the endpoint start with. It names one client's connection. */
  readonly proxyProtocol: ClusterConfig['proxyProtocol'];
}

/** Binds the connection to the endpoint of one request or upgrade to its client's connection, if it must be bound. */
export class BoundRequest {
  /** Whether the connection to the endpoint may carry requests of this client's connection only. */
  isBound: boolean;
  readonly #terms: BoundTerms;
  readonly #asker: Asker;
  readonly #login: ConnectionLogin;
  /** The client's connection; null while it need not be known, or if it cannot be found. */
  #client: ClientConnection | null = null;
  /** Ends the search for the client's connection; null before the search has begun. */
  #endSearch: (() => void) | null = null;
  /** Whether the endpoint has answered on the connection with anything but demands to log in. */
  #accepted = false;
  #keepMs = 0;
  /** The endpoint whose connection counts as in use; null for none. */
  #inUse: Endpoint | null = null;

  constructor(terms: BoundTerms, asker: Asker, login: ConnectionLogin) {
    this.#terms = terms;
    this.#asker = asker;
    this.#login = login;
    this.isBound = terms.proxyProtocol !== 'off';
  }

  /** Whether no connection may be used that has carried requests of others. */
  get needsOwn(): boolean {
    return this.authorizes || this.#terms.proxyProtocol !== 'off';
  }

  /** Whether the request that is sent to the endpoint has credentials that authenticate the connection. */
  get authorizes(): boolean {
    return this.#login.authorizes;
  }

  /** Finds out whether anything is bound to the client's connection. To be called when the request's head has come. */
  recognise(): void {
    this.#client = this.#terms.bound.clientOf(this.#asker);
  }

  /** Whether {@link identify} must be called before the first attempt. */
  get mustIdentify(): boolean {
    return this.authorizes && this.#client === null && this.#endSearch === null;
  }

  /** Finds the client's connection, to which the authenticated connection will be bound. May call back at once. */
  identify(done: () => void): void {
    this.#endSearch = () => undefined;
    this.#endSearch = this.#terms.bound.identify(this.#asker, (client) => {
      this.#client = client;
      done();
    });
  }

  /** Ends {@link identify}, which does not call back any more. */
  cancel(): void {
    this.#endSearch?.();
  }

  /** Takes the connection that is bound to the client's connection; null if there is none. Its endpoint counts it already. */
  take(): Bound | null {
    const { bound, cluster } = this.#terms;
    const taken = this.#client === null ? null : bound.take(this.#client, cluster, this.#use);
    if (taken === null) return null;
    this.isBound = true;
    this.#accepted = taken.accepted;
    return taken;
  }

  /** Counts the connection to the endpoint for the client's network, if it is bound or this request logs in on it. */
  beginUse(endpoint: Endpoint): void {
    this.endUse();
    if (!this.isBound && !this.authorizes) return;
    this.#inUse = endpoint;
    this.#terms.bound.beginUse(this.#network, this.#terms.cluster, endpoint);
  }

  /** Takes back {@link beginUse}. To be called when the connection has closed, or has another owner. */
  endUse(): void {
    const endpoint = this.#inUse;
    this.#inUse = null;
    if (endpoint !== null) this.#terms.bound.endUse(this.#network, this.#terms.cluster, endpoint);
  }

  /** Notes the head of the endpoint's answer. To be called before the client gets any of it. */
  answered(head: ResponseHead): void {
    const { bound, keepAliveMs } = this.#terms;
    const isLogin = this.authorizes || challengesConnection(head);
    this.isBound ||= isLogin;
    if (!this.isBound) return;
    this.#accepted ||= head.status !== 401 && head.status !== 407;
    this.#keepMs =
      isLogin || !this.needsOwn
        ? boundKeepAlive(keepAliveMs, head)
        : Math.min(keepAliveMs, keepAliveHint(head));
    if (!this.authorizes) this.#client ??= bound.identifyNow(this.#asker, isLogin);
  }

  /**
   * Keeps a bound connection without a request under way for the client's next request. Its endpoint goes on counting it.
   *
   * @returns false if it cannot be kept
   */
  keep(endpoint: Endpoint, socket: UpstreamSocket): boolean {
    const { bound, cluster } = this.#terms;
    if (!this.isBound || this.#client === null || this.#keepMs === 0) return false;
    this.endUse();
    const binding = { client: this.#client, network: this.#network, cluster };
    bound.keep(binding, { endpoint, socket, accepted: this.#accepted, use: this.#use }, this.#keepMs);
    return true;
  }

  /** Tells the connections of one client to one cluster apart. */
  get #use(): string {
    return `${this.#terms.proxyProtocol} ${this.#login.ofRoute}`;
  }

  get #network(): string {
    return networkOf(this.#asker.client.address);
  }
}
