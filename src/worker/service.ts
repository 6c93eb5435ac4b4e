import type { DrainScope } from '../protocol/to-worker.ts';
import type { SessionGroup } from './access/session-answers.ts';
import type { Environment } from './environment.ts';
import type { LiveConnection } from './live-connection.ts';
import type { InnerLoop } from './meters/loop-meter.ts';

/** A prepared change to another generation. Exactly one of the two is called. */
export interface PreparedChange {
  /** Makes the change. Returns the live connections that have lost what they ran on. */
  readonly commit: () => readonly LiveConnection[];
  /** Undoes the preparation. */
  readonly abort: () => void;
}

/** What a worker still has of older generations. */
export interface OlderGenerations {
  /** Sessions and tunnels of older generations. */
  readonly connections: number;
  /** The oldest generation of which something is alive; the current one if nothing is. */
  readonly oldest: number;
}

/** What one kind of worker serves. The thread around it is the same for all kinds. */
export interface Service {
  /** The loop in which the thread waits; null for Node's. */
  readonly innerLoop: InnerLoop | null;
  /**
   * Resolves when every listener accepts connections; rejects if one cannot.
   *
   * @param made called when all listeners have been made, before the first of them accepts
   */
  listen(made?: () => void): Promise<void>;
  /** Gets ready for another generation. If it rejects, nothing has changed. */
  prepare(next: Environment): Promise<PreparedChange>;
  /** Reports what is still alive of generations older than the given one. */
  older(generation: number): OlderGenerations;
  /** Lists the sessions and tunnels of a scope. */
  living(scope: DrainScope): readonly LiveConnection[];
  /** Lists the sessions of all generations by their listeners and clusters. */
  sessions(): readonly SessionGroup[];
  /** Lets a scope take new sessions and tunnels, or not. */
  admit(scope: DrainScope, admitted: boolean): void;
  /**
   * Hands connections that begin now over to other threads and processes, before {@link stop}. Connections that have
   * begun are served, also after that.
   *
   * @param from the first of those sockets on each address: see `sys/sockets/hand-over.ts`
   */
  leave(from: number | null): void;
  /** Accepts no more connections. */
  stop(): void;
  /** Refuses the handshakes that are under way. */
  cancelPending(): void;
  /** Lists the connections that a worker closes itself when it ends: sessions. Tunnels may finish. */
  closedAtEnd(): readonly LiveConnection[];
  /** Resolves when nothing is left, or after `maxMs`. */
  emptied(maxMs: number): Promise<void>;
  /** Closes everything now. May be called at any time, and more than once. */
  abort(): void;
}
