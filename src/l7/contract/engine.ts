import type { L7Listener } from '../../config/types/listener.ts';
import type { Passthrough } from '../../transport/client-transport.ts';
import type { EntryRejection } from '../../transport/entry.ts';
import type { ClientIdentity, ConnectionFacts } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { Exchange, ExchangeEngine } from './exchange.ts';
import type { RequestRefusal, UnusedReason } from './listener-stats.ts';

/** A layer 7 engine in one worker. Carries client connections, and speaks HTTP/1.x and WebSocket on them. */
export interface Engine extends ExchangeEngine {
  /**
   * Creates the engine's part of a listener. It does not listen yet.
   *
   * @throws if the listener's certificates are unusable
   */
  createListener(config: L7Listener, owner: ListenerOwner): EngineListener;
  /** Frees the resources that the engine's listeners share. Close all listeners first. */
  close(): void;
}

/** The engine's part of one listener: its listening socket and its connections. */
export interface EngineListener {
  /** Whether the listener can switch to this configuration without a new listening socket. */
  fits(config: L7Listener): boolean;
  /** Prepares a configuration that {@link fits}. Returns a function that applies it. */
  prepare(config: L7Listener): () => void;
  /** Starts to accept connections. Throws, or rejects, if the address cannot be bound. */
  listen(): Promise<void> | void;
  /** Whether new connections can still arrive. */
  readonly listens: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from number of the first socket to receive new connections. Sockets are numbered from 0 in the
   * order in which they began to listen. Negative numbers count from the end. Null if there are no other
   * sockets: clients then repeat their SYN until this socket closes.
   */
  handOver(from: number | null): void;
  /** Stops accepting. Connections that the kernel has not handed over yet are reset. */
  stop(): void;
  /**
   * Stops, and closes every connection at once. Sessions end as if their clients had disconnected. Must not
   * be called from a callback of the engine.
   */
  close(): void;
}

/** Receives the events of one listener of an engine. Implemented by the proxy's part of the listener. */
export interface ListenerOwner {
  /** Handles requests that arrive from now on. A request stays with the dispatcher that got it. */
  readonly dispatcher: RequestDispatcher;
  /** Destination of connections that are tunnelled undecrypted, or null. Constant for the listener's life. */
  readonly passthrough: Passthrough | null;
  /** Whether {@link connectionUnused} writes log lines, and so needs the peer's address. */
  readonly logsUnused: boolean;
  /**
   * Counts a new connection.
   *
   * @param descriptor the connection's descriptor, undefined if unknown
   * @returns false if the engine must close the connection at once. {@link connectionClosed} follows in any
   * case.
   */
  connectionOpened(descriptor?: number): boolean;
  /** Called once when a connection closes, including a session's connection. */
  connectionClosed(): void;
  /**
   * Called when a connection becomes part of a tunnel, which counts it from now on. No {@link
   * connectionClosed} follows.
   */
  connectionTunnelled(): void;
  /** Called when a connection fails before its first request. {@link connectionClosed} follows. */
  connectionRejected(rejection: EntryRejection): void;
  /** Counts a failed accept: see `AcceptorOwner` in `transport/acceptor.ts`. */
  acceptFailed(code: string, isFirst: boolean): boolean;
  /** Logs an exception from the code that serves a connection. The connection is lost. */
  acceptFault(error: unknown): void;
  /**
   * Called when a connection closes without a request.
   *
   * @param peer the connection's IP address as text. Null unless {@link logsUnused} was true when the
   * connection opened.
   */
  connectionUnused(reason: UnusedReason, peer: string | null, seconds: number): void;
}

/** Describes a request that an engine cannot serve. */
export interface EngineRefusal {
  readonly status: 400 | 408 | 414 | 417 | 431 | 501 | 505;
  /** The reason label of the counter. */
  readonly reason: RequestRefusal;
  /** A short text for the client and the log. */
  readonly detail: string;
}

/** Decides how one configuration answers a listener's requests. */
export interface RequestDispatcher {
  /**
   * Identifies the client of a request, even if the head is malformed: every answer and log line names the
   * client.
   *
   * @param connection the connection that carried the request
   */
  identify(head: RequestHead, connection: ConnectionFacts): ClientIdentity;
  /** Answers the request, now or later. Counts it as open until {@link over}. */
  dispatch(exchange: Exchange): void;
  /**
   * Answers a request that the engine cannot serve. Counts it as open until {@link over}.
   *
   * @param exchange its head has a method and a path, a method only, or neither
   */
  refuse(exchange: Exchange, refusal: EngineRefusal): void;
  /** Called once for each exchange, when its reply is answered, switched or aborted. */
  over(exchange: Exchange): void;
}
