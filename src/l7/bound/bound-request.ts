import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { challengesConnection, type ConnectionLogin } from '../../wire/http/connection-auth.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Requester, ClientConnection } from '../contract/client-connections.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';
import { boundKeepAlive, keepAliveHint } from '../upstream/keep-alive-hint.ts';
import type { Bound, BoundConnections } from './bound-connections.ts';

/** State that the bound requests of one route share. */
interface BoundTerms {
  readonly bound: BoundConnections;
  readonly cluster: Cluster;
  /** Max idle time of a connection, in milliseconds. */
  readonly keepAliveMs: number;
  /**
   * The version of the PROXY header on connections to the endpoint. The header names one client's connection.
   */
  readonly proxyProtocol: ClusterConfig['proxyProtocol'];
}

/** Binds the endpoint's connection of one request or upgrade to its client's connection, if necessary. */
export class BoundRequest {
  /** Whether only this client's connection may use the connection to the endpoint. */
  isBound: boolean;
  readonly #terms: BoundTerms;
  readonly #requester: Requester;
  readonly #login: ConnectionLogin;
  /** The client's connection. Null if it is not needed or cannot be found. */
  #client: ClientConnection | null = null;
  /** Cancels the search for the client's connection. Null before the search. */
  #endSearch: (() => void) | null = null;
  /** Whether the endpoint has sent any answer on the connection except demands to log in. */
  #accepted = false;
  #keepMs = 0;
  /** The endpoint whose connection counts as in use, or null. */
  #inUse: Endpoint | null = null;

  constructor(terms: BoundTerms, requester: Requester, login: ConnectionLogin) {
    this.#terms = terms;
    this.#requester = requester;
    this.#login = login;
    this.isBound = terms.proxyProtocol !== 'off';
  }

  /** Whether connections that have carried other clients' requests are excluded. */
  get needsOwnConnection(): boolean {
    return this.authorizes || this.#terms.proxyProtocol !== 'off';
  }

  /** Whether the request to the endpoint has credentials that authenticate the connection. */
  get authorizes(): boolean {
    return this.#login.authorizes;
  }

  /**
   * Checks whether anything is bound to the client's connection. Must be called as soon as the request's head
   * arrives.
   */
  recognise(): void {
    this.#client = this.#terms.bound.clientOf(this.#requester);
  }

  /** Whether {@link identify} must be called before the first attempt. */
  get mustIdentify(): boolean {
    return this.authorizes && this.#client === null && this.#endSearch === null;
  }

  /**
   * Finds the client's connection, to bind the authenticated connection to it. May call back before it
   * returns.
   */
  identify(done: () => void): void {
    this.#endSearch = () => undefined;
    this.#endSearch = this.#terms.bound.identify(this.#requester, (client) => {
      this.#client = client;
      done();
    });
  }

  /** Cancels {@link identify}: its callback will not run. */
  cancel(): void {
    this.#endSearch?.();
  }

  /**
   * Takes the connection bound to the client's connection, or returns null. Its endpoint already counts it.
   */
  take(): Bound | null {
    const { bound, cluster } = this.#terms;
    const taken = this.#client === null ? null : bound.take(this.#client, cluster, this.#use);
    if (taken === null) return null;
    this.isBound = true;
    this.#accepted = taken.accepted;
    return taken;
  }

  /**
   * Counts the connection to the endpoint for the client's network, if it is bound or this request logs in on
   * it.
   */
  beginUse(endpoint: Endpoint): void {
    this.endUse();
    if (!this.isBound && !this.authorizes) return;
    this.#inUse = endpoint;
    this.#terms.bound.beginUse(this.#network, this.#terms.cluster, endpoint);
  }

  /** Reverts {@link beginUse}. Must be called when the connection has closed, or has another owner. */
  endUse(): void {
    const endpoint = this.#inUse;
    this.#inUse = null;
    if (endpoint !== null) this.#terms.bound.endUse(this.#network, this.#terms.cluster, endpoint);
  }

  /** Reads the head of the endpoint's answer. Must be called before the client gets a part of it. */
  answered(head: ResponseHead): void {
    const { bound, keepAliveMs } = this.#terms;
    const isLogin = this.authorizes || challengesConnection(head);
    this.isBound ||= isLogin;
    if (!this.isBound) return;
    this.#accepted ||= head.status !== 401 && head.status !== 407;
    this.#keepMs =
      isLogin || !this.needsOwnConnection
        ? boundKeepAlive(keepAliveMs, head)
        : Math.min(keepAliveMs, keepAliveHint(head));
    if (!this.authorizes) this.#client ??= bound.identifyNow(this.#requester, isLogin);
  }

  /**
   * Keeps an idle bound connection for the client's next request. Its endpoint continues to count it.
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

  /** Distinguishes the connections of one client to one cluster. */
  get #use(): string {
    return `${this.#terms.proxyProtocol} ${this.#login.routeCredentials}`;
  }

  get #network(): string {
    return networkOf(this.#requester.client.address);
  }
}
