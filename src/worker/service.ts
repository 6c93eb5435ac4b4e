import type { DrainScope } from '../protocol/to-worker.ts';
import type { Environment } from './environment.ts';
import type { InnerLoop } from './loop-meter.ts';
import type { Drainable, Evictable } from './pacer.ts';

/** A change that is ready to be made. */
export interface Change {
  /** Makes it. Returns what lives and has lost what it ran on. */
  readonly commit: () => readonly Drainable[];
  readonly abort: () => void;
}

/** What one kind of worker does; the thread around it is the same for all. */
export interface Service {
  /** The loop that the thread waits in, or null where that is Node's. */
  readonly innerLoop: InnerLoop | null;
  /** Resolves when every listener accepts connections; rejects where one cannot. */
  listen(): Promise<void>;
  /** Gets ready for another generation; rejects where that cannot be, and nothing has changed then. */
  prepare(next: Environment): Promise<Change>;
  /** How much lives of older generations than this one, and the oldest of which anything does. */
  older(generation: number): { readonly connections: number; readonly oldest: number };
  /** The sessions and tunnels of a scope. */
  living(scope: DrainScope): readonly (Drainable & Evictable)[];
  /** Lets a scope take new work, or not. */
  admit(scope: DrainScope, admitted: boolean): void;
  /**
   * Lets other threads and processes have the connections that begin now, before {@link stop}. Those that have begun
   * are served also after that.
   *
   * @param from which of the sockets on an address get them, as of `Array.slice`, in the order in which they began to
   * listen; null for any
   */
  leave(from: number | null): void;
  /** Accepts no more connections. */
  stop(): void;
  /** Answers now what is still being negotiated. */
  cancelPending(): void;
  /** What a worker that ends does not wait for, but ends itself: sessions, not tunnels. */
  sessions(): readonly Drainable[];
  /** Resolves when nothing is left or the time is over. */
  emptied(mostMs: number): Promise<void>;
  /** Closes everything now. Safe at any time, and more than once. */
  abort(): void;
}
