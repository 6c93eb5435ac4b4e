import type { NextTurn } from '../core/timing/slices.ts';
import type { DrainScope } from '../protocol/to-worker.ts';
import type { SessionGroup } from './access/session-answers.ts';
import type { Environment } from './environment.ts';
import type { LiveConnection } from './live-connection.ts';
import type { InnerLoop } from './meters/loop-meter.ts';

/** A prepared change to another generation. Exactly one of the functions must be called. */
export interface PreparedChange {
  /** Applies the change. Returns the live connections that lost a part they depend on. */
  readonly commit: () => readonly LiveConnection[];
  /** Undoes the preparation. */
  readonly abort: () => void;
}

/** A worker's live parts of older generations. */
export interface OlderGenerations {
  /** Number of sessions and tunnels of older generations. */
  readonly connections: number;
  /** The oldest generation with live parts, or the current one. */
  readonly oldest: number;
}

/** The work of one kind of worker. The thread around it is the same for all kinds. */
export interface Service {
  /** The loop that the thread waits in. Null for Node's. */
  readonly innerLoop: InnerLoop | null;
  /** Lets the loop serve its connections between two parts of long work. */
  readonly nextTurn: NextTurn;
  /**
   * Resolves when every listener accepts connections. Rejects if one cannot.
   *
   * @param made called when all listeners are created, before the first accepts
   */
  listen(made?: () => void): Promise<void>;
  /** Prepares another generation. After a rejection nothing has changed. */
  prepare(next: Environment): Promise<PreparedChange>;
  /** Reports the live parts of generations older than the given one. */
  older(generation: number): OlderGenerations;
  /** Lists the sessions and tunnels of a scope. */
  liveConnections(scope: DrainScope): readonly LiveConnection[];
  /** Lists the sessions of all generations by listener and cluster. */
  sessions(): readonly SessionGroup[];
  /** Admits or refuses new sessions and tunnels of a scope. */
  admit(scope: DrainScope, admitted: boolean): void;
  /**
   * Hands new connections over to other threads or processes, before {@link stop}. Connections that have
   * already begun to arrive here are still served.
   *
   * @param from number of the first socket to receive new connections: see `sys/sockets/hand-over.ts`
   */
  handOver(from: number | null): void;
  /** Stops accepting connections. */
  stop(): void;
  /** Refuses the pending handshakes. */
  cancelPending(): void;
  /** Lists the connections that an ending worker closes itself: sessions. Tunnels may finish. */
  closedAtEnd(): readonly LiveConnection[];
  /** Resolves when no connection is left, or after `maxMs`. */
  untilEmpty(maxMs: number): Promise<void>;
  /** Closes everything now. May be called at any time. Idempotent. */
  abort(): void;
}
