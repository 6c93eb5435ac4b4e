import type { ConnectionEnds } from '../../wire/proxy-protocol/proxy-header-writer.ts';

/** A request whose client connection must be identified. Valid until its reply ends. */
export interface Requester {
  /** The connection's IP address as text. */
  readonly peer: string;
  /** The client as trusted proxies in front of sluice name it. */
  readonly client: { readonly address: string };
  /** The engine that carries the connection. */
  readonly engine: { readonly clients: ClientConnections | null; clientsTouched(): void };
  /** The engine's handle of the connection. Only the engine that made the request can read it. */
  readonly connection: object;
  /** Null if the request has no body. */
  readonly body: object | null;
  /** Arrival time of the request, by `performance.now()`. */
  readonly startedAt: number;
  /** Returns the connection's addresses for a PROXY header to an endpoint. */
  ends(): ConnectionEnds;
}

/** A client's connection with an identity: it differs from all others while it is open. */
export interface ClientConnection {
  /** The connection's IP address as text. */
  readonly peer: string;
  isOpen(): boolean;
  /**
   * Makes the connection visible to {@link ClientConnections.recognise}. Returns false if the connection has
   * closed.
   */
  watch(): boolean;
  unwatch(): void;
}

/** Identifies client connections of one engine by the requests on them. */
export interface ClientConnections {
  /**
   * Returns the watched connection that carries the request, or null if the connection is not watched. Must
   * be called as soon as the request's head arrives.
   */
  recognise(requester: Requester): ClientConnection | null;
  /**
   * Finds the connection of a request, watched or not. Nothing may be sent on the connection until then.
   *
   * @param found gets null if the search times out or too many requests wait. May be called before this
   * returns.
   * @returns a function that cancels the search: call it when the connection closes
   */
  find(requester: Requester, found: (client: ClientConnection | null) => void): () => void;
  /** Finds the connection of a request if that is quick. Returns null otherwise. */
  findNow(requester: Requester): ClientConnection | null;
}
