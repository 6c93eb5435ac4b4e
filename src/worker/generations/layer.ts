/** The layer-specific parts of a worker. {@link Generations} does everything common to both layers. */
import type { LiveMember } from '../../core/collections/live-set.ts';
import type { NextTurn, Slices } from '../../core/timing/slices.ts';
import type { WorkerKind } from '../../protocol/to-worker.ts';
import type { SessionGroup } from '../access/session-answers.ts';
import type { Environment } from '../environment.ts';
import type { LiveConnection } from '../live-connection.ts';
import type { InnerLoop } from '../meters/loop-meter.ts';

/**
 * One listener in one worker. It keeps its socket across all generations that it fits.
 *
 * Its connections belong to contexts, each with a cluster and settings. If a generation changes neither, the
 * context object stays. Otherwise the generation has a new context, and older connections keep theirs.
 */
export interface ServedListener<Self, Config, Shared, Context> {
  /** Whether the listener can serve a configuration on its current socket. */
  fits(config: Config): boolean;
  /**
   * Prepares a configuration that {@link fits}, in slices that let others run. Returns a function that
   * applies it.
   */
  prepare(config: Config, shared: Shared, slices: Slices): Promise<() => void> | (() => void);
  /**
   * Takes over the contexts of the replaced listener, if nothing changes for their connections. Called when
   * the configuration is applied. Until then the old listener answers its requests.
   */
  inherit(previous: Self): void;
  /** Starts accepting connections. Throws or rejects if the address cannot be bound. */
  listen(): Promise<void> | void;
  /** Whether the listener can still get connections. */
  readonly listens: boolean;
  /**
   * Whether sessions or tunnels may still start: it listens, or an arriving connection may become a tunnel.
   */
  readonly mayGrow: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from number of the first socket to receive new connections: see `sys/sockets/hand-over.ts`
   */
  handOver(from: number | null): void;
  /** Stops accepting, and may listen again. Open connections continue. Idempotent. */
  stop(): void;
  /**
   * Admits or refuses new sessions or tunnels. Layer 7 refuses upgrades but still answers requests, so it
   * keeps its socket. Layer 4 has only tunnels, so it stops or listens again.
   */
  admit(admitted: boolean): void;
  /**
   * Lets the successor answer requests on connections that are open here. Layer 4 does nothing: a tunnel
   * never brings a second request.
   */
  follow(successor: Self): void;
  /**
   * Stops, and closes all client connections. Tunnels continue, because they belong to contexts. Idempotent.
   */
  close(): void;
  /** The contexts of new connections. */
  readonly contexts: readonly Context[];
  /** Whether a context is among {@link contexts}. */
  uses(context: Context): boolean;
  /** Whether connections of an older context may continue under the current configuration. */
  covers(context: Context): boolean;
  /** Counts the open requests of the configuration, even after its replacement. Null for layer 4. */
  readonly requests: { readonly open: number } | null;
  /** Number of unanswered requests. 0 for layer 4. */
  readonly unanswered: number;
  /** Number of open client connections, including idle ones. Tunnels count with their contexts instead. */
  readonly connections: number;
}

/** The sessions or tunnels of one context. */
export interface ConnectionGroup<Connection extends LiveMember> extends SessionGroup {
  readonly live: { readonly size: number } & Iterable<Connection>;
  /** Unanswered handshakes. Empty for layer 4: a tunnel is live as soon as its client is accepted. */
  readonly pending: { readonly size: number } & Iterable<{ cancel(): void }>;
}

/** The listeners and connections of one layer in one worker. `Shared` is the state its listeners share. */
export interface Layer<
  Listener extends ServedListener<Listener, Config, Shared, Context>,
  Config extends { readonly name: string },
  Shared,
  Context,
  Connection extends LiveConnection & LiveMember,
> {
  readonly kind: WorkerKind;
  /** The loop that the thread waits in. Null for Node's. */
  readonly innerLoop: InnerLoop | null;
  /** Lets the loop serve its connections between two slices of a change. */
  readonly nextTurn: NextTurn;
  /**
   * Whether an ending worker itself closes the connections of a context. Sessions end with a close frame, and
   * their clients reconnect. Tunnels have until the end of the grace period, because closing one may truncate
   * data.
   */
  closesAtEnd(context: Context): boolean;
  /** Lists the layer's listeners in a configuration. */
  configsOf(environment: Environment): readonly Config[];
  /** Loads the code that a configuration's listeners need. Rejects if loading fails. */
  load(environment: Environment): Promise<void>;
  /** Gathers the state shared by the listeners of a configuration. */
  share(environment: Environment): Shared;
  /**
   * Creates a listener in slices. It does not listen yet.
   *
   * @param previous the listener to replace; null for a new name
   * @throws Error if it cannot be set up
   */
  create(
    config: Config,
    shared: Shared,
    previous: Listener | null,
    slices: Slices,
  ): Promise<Listener> | Listener;
  groupOf(context: Context): ConnectionGroup<Connection>;
  /** Called when the worker's first listeners accept connections. */
  started(): void;
  /** Called when a configuration was applied, before the parts it replaces are retired. */
  committed(environment: Environment): void;
  /**
   * Called before everything is aborted. Ends work that belongs to no listener or context, such as requests.
   */
  aborting(): void;
  /** Frees the listeners' shared state, after they are closed. Idempotent. */
  close(): void;
}
