import type { ConnectionEnds } from '../../wire/proxy-protocol/proxy-header-writer.ts';

/** A request that asks for its connection. Valid until its reply is over. */
export interface Asker {
  /** The connection's IP address as text. */
  readonly peer: string;
  /** The client as the proxies in front name it. */
  readonly client: { readonly address: string };
  /** The engine that carries the connection. */
  readonly engine: { readonly clients: ClientConnections | null; clientsTouched(): void };
  /** The engine's handle of the connection. Only the engine that has made the request can read it. */
  readonly connection: object;
  /** Null if the request has no body. */
  readonly body: object | null;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
  /** Finds what an endpoint is told of the connection by a PROXY header. */
  ends(): ConnectionEnds;
}

/** A client's connection, told apart from all others as long as it is open. */
export interface ClientConnection {
  /** The connection's IP address as text. */
  readonly peer: string;
  isOpen(): boolean;
  /** Lets {@link ClientConnections.recognise} find the connection. Returns false if it has closed. */
  watch(): boolean;
  unwatch(): void;
}

/** Tells which of the clients' connections of one engine a request has come on. */
export interface ClientConnections {
  /**
   * Returns the watched connection that a request has come on; null if it has come on another one. To be called when the
   * request's head has come.
   */
  recognise(asker: Asker): ClientConnection | null;
  /**
   * Finds the connection of a request, watched or not. Nothing may be sent on it meanwhile.
   *
   * @param found told null if the connection cannot be told in time, or too many requests wait. May be called at once.
   * @returns forgets the request; to be called when its connection closes
   */
  find(asker: Asker, found: (client: ClientConnection | null) => void): () => void;
  /** Finds the connection of a request at once if that takes little time; else returns null. */
  findNow(asker: Asker): ClientConnection | null;
}
