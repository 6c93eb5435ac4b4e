import type { L7Listener } from '../../config/types/listener.ts';
import type { Passthrough } from '../../transport/client-transport.ts';
import type { EntryRejection } from '../../transport/entry.ts';
import type { ClientIdentity, ConnectionFacts } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { Exchange, ExchangeEngine } from './exchange.ts';
import type { RequestRefusal, UnusedReason } from './listener-stats.ts';

/** An engine of layer 7 in one worker: carries connections of clients, and speaks HTTP/1.x and WebSocket on them. */
export interface Engine extends ExchangeEngine {
  /**
   * Makes the engine's part of a listener, which does not listen yet.
   *
   * @throws if the listener's certificates cannot be used
   */
  createListener(config: L7Listener, owner: ListenerOwner): EngineListener;
  /** Frees what the engine's listeners share. All of them are closed. */
  close(): void;
}

/** The engine's part of one listener: its listening socket and its connections. */
export interface EngineListener {
  /** Whether the listener can serve another configuration without a new listening socket. */
  fits(config: L7Listener): boolean;
  /** Gets ready for another configuration that {@link fits}. Returns a function that brings it into force. */
  prepare(config: L7Listener): () => void;
  /** Accepts connections. Throws, or rejects, if the address cannot be bound. */
  listen(): Promise<void> | void;
  /** Whether the listener can still get connections. */
  readonly listens: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from number of the first of those sockets. They are numbered from 0 in the order in which they began to listen; a
   *   negative number counts from the end. Null for none: then clients repeat their SYN until this socket is closed.
   */
  leave(from: number | null): void;
  /** Accepts no more connections. Connections that the kernel has not handed over yet are reset. */
  stop(): void;
  /**
   * Stops, and closes every connection now. Sessions end as if their clients had gone. Not to be called from within a
   * callback of the engine.
   */
  close(): void;
}

/** What the engine calls for one listener. The proxy's part of the listener implements it. */
export interface ListenerOwner {
  /** Takes the requests that come now. A request stays with the dispatcher that has taken it. */
  readonly dispatcher: RequestDispatcher;
  /** Where connections go that are tunnelled undecrypted; null for none. It is the same for as long as the listener lives. */
  readonly passthrough: Passthrough | null;
  /** Whether {@link connectionUnused} writes log lines, so that it needs the peer's address. */
  readonly logsUnused: boolean;
  /**
   * Counts a new connection.
   *
   * @param descriptor the connection's; undefined if it is not known
   * @returns false if the engine must close the connection at once; {@link connectionClosed} follows in any case
   */
  connectionOpened(descriptor?: number): boolean;
  /** A connection has closed, or a session's connection has. Called once for each connection. */
  connectionClosed(): void;
  /** A connection belongs to a tunnel from now on, and counts as the tunnel's. No {@link connectionClosed} follows. */
  connectionTunnelled(): void;
  /** A connection fails before it can send a request. {@link connectionClosed} follows. */
  connectionRejected(rejection: EntryRejection): void;
  /** Counts a connection that could not be accepted: see `AcceptorOwner` of `transport/acceptor.ts`. */
  acceptFailed(code: string, isFirst: boolean): boolean;
  /** Logs that serving a connection has thrown. The connection is lost. */
  acceptFault(error: unknown): void;
  /**
   * A connection has closed without a request.
   *
   * @param peer the connection's IP address as text; null unless {@link logsUnused} held when the connection opened
   */
  connectionUnused(reason: UnusedReason, peer: string | null, seconds: number): void;
}

/** Why an engine refuses a request that it cannot serve. */
export interface EngineRefusal {
  readonly status: 400 | 408 | 414 | 417 | 431 | 501 | 505;
  /** The counter. */
  readonly reason: RequestRefusal;
  /** In a few words, for the client and the log. */
  readonly detail: string;
}

/** Decides what happens to a listener's requests under one configuration. */
export interface RequestDispatcher {
  /**
   * Finds out who sent a request, even if its head is malformed: every answer and log line names the client.
   *
   * @param connection on which it has come
   */
  identify(head: RequestHead, connection: ConnectionFacts): ClientIdentity;
  /** Answers the request, now or later. Counts it as open until {@link over}. */
  dispatch(exchange: Exchange): void;
  /**
   * Answers a request that the engine cannot serve. Counts it as open until {@link over}.
   *
   * @param exchange whose head has a method and a path, a method alone, or neither
   */
  refuse(exchange: Exchange, refusal: EngineRefusal): void;
  /** The reply is answered, switched or aborted. Called once for each exchange. */
  over(exchange: Exchange): void;
}
