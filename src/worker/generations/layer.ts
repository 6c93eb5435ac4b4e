/** What a layer brings to its worker. {@link Generations} does the rest, the same for both layers. */
import type { LiveMember } from '../../core/collections/live-set.ts';
import type { NextTurn, Slices } from '../../core/timing/slices.ts';
import type { WorkerKind } from '../../protocol/to-worker.ts';
import type { SessionGroup } from '../access/session-answers.ts';
import type { Environment } from '../environment.ts';
import type { LiveConnection } from '../live-connection.ts';
import type { InnerLoop } from '../meters/loop-meter.ts';

/**
 * One listener in one worker. It keeps its socket through every generation that it fits.
 *
 * Its connections live under contexts, each with a cluster and settings. A generation that changes neither keeps the
 * context object. Any other has a new context, and connections keep the one under which they began.
 */
export interface ServedListener<Self, Config, Shared, Context> {
  /** Whether the listener can serve a configuration with the socket that it has. */
  fits(config: Config): boolean;
  /**
   * Gets ready for a configuration that {@link fits}, in slices: others are served meanwhile. Returns a function that brings
   * it into force.
   */
  prepare(config: Config, shared: Shared, slices: Slices): Promise<() => void> | (() => void);
  /**
   * Takes over the contexts of the listener that this one replaces, if nothing changes for their connections. Called when the
   * configuration comes into force. Until then the other listener answers what has come here.
   */
  inherit(previous: Self): void;
  /** Accepts connections. Throws, or rejects, if the address cannot be bound. */
  listen(): Promise<void> | void;
  /** Whether the listener can still get connections. */
  readonly listens: boolean;
  /** Whether sessions or tunnels may still begin: it listens, or a connection has come that may become a tunnel. */
  readonly mayGrow: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from the first of those sockets: see `sys/sockets/hand-over.ts`
   */
  leave(from: number | null): void;
  /** Accepts no more connections, and may listen again. Connections live on. Does nothing if it does not listen. */
  stop(): void;
  /**
   * Lets the listener take new sessions or tunnels, or not. Layer 7 refuses upgrades and goes on to answer requests, so
   * it keeps its socket. Layer 4 has nothing but tunnels, so it stops or listens again.
   */
  admit(admitted: boolean): void;
  /**
   * Lets the listener that has replaced this one answer what comes on connections that are open here. Layer 4 has
   * nothing to do: a tunnel never brings a second request.
   */
  follow(successor: Self): void;
  /** Stops, and closes all client connections. Tunnels live on: they belong to their contexts. May be called again. */
  close(): void;
  /** The contexts under which connections begin now. */
  readonly contexts: readonly Context[];
  /** Whether a context is among {@link contexts}. */
  uses(context: Context): boolean;
  /** Whether connections of an older context may live on under the configuration in use. */
  covers(context: Context): boolean;
  /** Counts the open requests of the configuration in use, also when another has replaced it; null for layer 4. */
  readonly requests: { readonly open: number } | null;
  /** Requests that have not been answered yet; 0 for layer 4. */
  readonly unanswered: number;
  /** Client connections that are open, idle ones included, without tunnels: these are counted with their contexts. */
  readonly connections: number;
}

/** The sessions or tunnels of one context. */
export interface ConnectionGroup<Connection extends LiveMember> extends SessionGroup {
  readonly live: { readonly size: number } & Iterable<Connection>;
  /** Handshakes that are not answered yet. Empty for layer 4: a tunnel is live as soon as its client is accepted. */
  readonly pending: { readonly size: number } & Iterable<{ cancel(): void }>;
}

/** The listeners and connections of one layer in one worker. `Shared` is what its listeners share. */
export interface Layer<
  Listener extends ServedListener<Listener, Config, Shared, Context>,
  Config extends { readonly name: string },
  Shared,
  Context,
  Connection extends LiveConnection & LiveMember,
> {
  readonly kind: WorkerKind;
  /** The loop in which the thread waits; null for Node's. */
  readonly innerLoop: InnerLoop | null;
  /** Lets the loop serve its connections between two slices of a change. */
  readonly nextTurn: NextTurn;
  /**
   * Whether a worker that ends closes the connections of a context itself. Sessions end with a close frame, and their clients
   * come back. Tunnels have until the end of the grace: to close one may cut data.
   */
  closesAtEnd(context: Context): boolean;
  /** Lists the layer's listeners in a configuration. */
  configsOf(environment: Environment): readonly Config[];
  /** Loads the code that the listeners of a configuration need. Rejects if it cannot be loaded. */
  load(environment: Environment): Promise<void>;
  /** Gathers what the listeners share under a configuration. */
  share(environment: Environment): Shared;
  /**
   * Makes a listener in slices. It does not listen yet.
   *
   * @param previous the listener that it replaces; null if the name is new
   * @throws if it cannot be set up
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
  /** Called when a configuration has come into force, before what it replaces is retired. */
  committed(environment: Environment): void;
  /** Called before everything is cut. Ends what belongs to no listener and no context, such as requests. */
  aborting(): void;
  /** Frees what the listeners share. They are closed. May be called again. */
  close(): void;
}
