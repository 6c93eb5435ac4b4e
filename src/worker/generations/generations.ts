import type { LiveMember } from '../../core/collections/live-set.ts';
import type { NextTurn } from '../../core/timing/slices.ts';
import type { ThreadLock } from '../../core/thread-lock.ts';
import type { DrainScope } from '../../protocol/to-worker.ts';
import type { Environment } from '../environment.ts';
import type { LiveConnection } from '../live-connection.ts';
import type { InnerLoop } from '../meters/loop-meter.ts';
import type { OlderGenerations, PreparedChange, Service } from '../service.ts';
import type { ConnectionGroup, Layer, ServedListener } from './layer.ts';
import { Preparation } from './preparation.ts';
import { Retirement } from './retirement.ts';
import { SYSTEM_CLOCK, untilEmpty, type Clock } from './until-empty.ts';

/** Time for a replaced listener to accept connections the kernel already holds for it. */
const REPLACED_ACCEPT_MS = 1000;
/** Time for the last close frames to reach their clients before the connections are closed. */
const FLUSH_MS = 1000;
/** Max age of idle connections during a hand-over: the client accepted last may still send its request. */
const LAST_REQUEST_MS = 5000;

/**
 * The listeners of one layer in one worker, across generations. A listener that fits the next configuration
 * continues on its socket. Any other listener is replaced: its successor starts listening, then it stops, and
 * it closes after its last connection.
 */
export class Generations<
  Listener extends ServedListener<Listener, Config, Shared, Context>,
  Config extends { readonly name: string },
  Shared,
  Context,
  Connection extends LiveConnection & LiveMember,
> implements Service {
  readonly #layer: Layer<Listener, Config, Shared, Context, Connection>;
  /** A process opens and closes its listening sockets one at a time: see `sys/sockets/hand-over.ts`. */
  readonly #lock: ThreadLock;
  readonly #clock: Clock;
  readonly #retirement = new Retirement();
  /** Whether other threads or processes take over the same addresses. */
  #handsOver = false;
  #aborted = false;
  #generation: number;
  /** Environment of the first generation. Null once {@link listen} is called. */
  #first: Environment | null;
  /** By name. Empty until {@link listen} has created the first. */
  #listeners: ReadonlyMap<string, Listener> = new Map();
  /** The change being prepared or waiting to be settled. Null without one. */
  #change: Preparation<Listener> | null = null;
  /** Replaced and removed listeners that still have connections. */
  readonly #oldListeners = new Set<Listener>();
  /** Replaced and removed contexts that still have connections. */
  readonly #oldContexts = new Set<Context>();

  constructor(
    layer: Layer<Listener, Config, Shared, Context, Connection>,
    environment: Environment,
    lock: ThreadLock,
    clock = SYSTEM_CLOCK,
  ) {
    this.#layer = layer;
    this.#lock = lock;
    this.#clock = clock;
    this.#generation = environment.generation;
    this.#first = environment;
  }

  get innerLoop(): InnerLoop | null {
    return this.#layer.innerLoop;
  }

  get nextTurn(): NextTurn {
    return this.#layer.nextTurn;
  }

  async listen(made?: () => void): Promise<void> {
    const first = this.#first;
    this.#first = null;
    if (first === null) return;
    const { listeners } = await this.#prepare(first, made);
    this.#change = null;
    this.#listeners = listeners;
    this.#layer.started();
  }

  async prepare(next: Environment): Promise<PreparedChange> {
    const change = await this.#prepare(next);
    return {
      commit: () => {
        this.#change = null;
        return this.#commit(next, change);
      },
      abort: () => this.#drop(change),
    };
  }

  async #prepare(next: Environment, onMade?: () => void): Promise<Preparation<Listener>> {
    // The primary settles each change before the next, unless this worker took too long.
    this.#giveUp('another change has begun');
    const change = new Preparation<Listener>(this.#layer.nextTurn, (listener) =>
      this.#closeListener(listener),
    );
    this.#change = change;
    try {
      await this.#build(change, next, onMade);
    } catch (error) {
      this.#drop(change);
      throw error;
    }
    return change;
  }

  /** Aborts a change and frees everything built for it. */
  #drop(change: Preparation<Listener>): void {
    change.abort();
    if (this.#change === change) this.#change = null;
  }

  async #build(change: Preparation<Listener>, next: Environment, onMade?: () => void): Promise<void> {
    const { listeners, commits, made, slices } = change;
    await this.#layer.load(next);
    if (this.#aborted) throw new Error('the worker has ended');
    slices.check();
    const shared = this.#layer.share(next);
    for (const config of this.#layer.configsOf(next)) {
      const current = this.#listeners.get(config.name);
      if (current?.fits(config) === true) {
        commits.push(await current.prepare(config, shared, slices));
        listeners.set(config.name, current);
      } else {
        const listener = await this.#layer.create(config, shared, current ?? null, slices);
        made.push(listener);
        listeners.set(config.name, listener);
        if (current !== undefined) commits.push(() => listener.inherit(current));
      }
      slices.check();
    }
    onMade?.();
    for (const listener of [...made]) {
      await listener.listen();
      slices.check();
    }
  }

  #giveUp(reason: string): void {
    this.#change?.giveUp(reason);
    this.#change = null;
  }

  older(generation: number): OlderGenerations {
    return this.#retirement.sweep(generation);
  }

  liveConnections(scope: DrainScope): Connection[] {
    return this.#contexts().flatMap((context) => {
      const { listener, cluster, live } = this.#layer.groupOf(context);
      switch (scope.kind) {
        case 'all':
          return [...live];
        case 'listener':
          return listener === scope.name ? [...live] : [];
        case 'cluster':
          return cluster === scope.name ? [...live] : [];
        case 'endpoint':
          return cluster === scope.cluster
            ? [...live].filter((connection) => connection.isOf(scope.cluster, scope.name))
            : [];
      }
    });
  }

  sessions(): ConnectionGroup<Connection>[] {
    return this.#contexts().map((context) => this.#layer.groupOf(context));
  }

  admit(scope: DrainScope, admitted: boolean): void {
    // Clusters and endpoints refuse new connections themselves.
    if (scope.kind === 'cluster' || scope.kind === 'endpoint') return;
    for (const [name, listener] of this.#listeners) {
      if (scope.kind === 'all' || scope.name === name) listener.admit(admitted);
    }
  }

  handOver(from: number | null): void {
    this.#handsOver = true;
    for (const listener of this.#listeners.values()) listener.handOver(from);
  }

  stop(): void {
    for (const listener of this.#listeners.values()) {
      this.#stopUnderLock(listener);
      // During a hand-over, connections that still arrive here are served.
      if (!this.#handsOver) listener.admit(false);
    }
  }

  cancelPending(): void {
    for (const context of this.#contexts()) {
      for (const handshake of this.#layer.groupOf(context).pending) handshake.cancel();
    }
  }

  closedAtEnd(): Connection[] {
    return this.#contexts()
      .filter((context) => this.#layer.closesAtEnd(context))
      .flatMap((context) => [...this.#layer.groupOf(context).live]);
  }

  untilEmpty(maxMs: number): Promise<void> {
    const lingerMs = this.#handsOver ? LAST_REQUEST_MS : FLUSH_MS;
    return untilEmpty(() => this.#remainder(), { lingerMs, maxMs }, this.#clock);
  }

  abort(): void {
    this.#aborted = true;
    this.#giveUp('the worker has ended');
    try {
      this.#layer.aborting();
      for (const connection of this.liveConnections({ kind: 'all' })) connection.abort();
      for (const listener of this.#allListeners()) this.#closeListener(listener);
    } finally {
      this.#layer.close();
    }
  }

  #remainder(): { readonly busy: boolean; readonly connections: number } {
    const listeners = this.#allListeners();
    const groups = this.sessions();
    return {
      busy:
        groups.some(({ live, pending }) => live.size + pending.size > 0) ||
        listeners.some(({ unanswered }) => unanswered > 0),
      connections: listeners.reduce((sum, { connections }) => sum + connections, 0),
    };
  }

  #allListeners(): Listener[] {
    return [...this.#listeners.values(), ...this.#oldListeners];
  }

  #contexts(): Context[] {
    return [...[...this.#listeners.values()].flatMap(({ contexts }) => contexts), ...this.#oldContexts];
  }

  #stopUnderLock(listener: Listener): void {
    this.#lock.hold(() => listener.stop());
  }

  #closeListener(listener: Listener): void {
    this.#stopUnderLock(listener);
    listener.close();
  }

  /** Applies a change. Returns the connections that lost their listener, route, cluster or endpoint. */
  #commit(next: Environment, { listeners, commits }: Preparation<Listener>): Connection[] {
    const before = Array.from(this.#listeners, ([name, listener]) => {
      const { contexts, requests } = listener;
      return { name, listener, contexts, requests };
    });
    const generation = this.#generation;
    this.#listeners = listeners;
    this.#generation = next.generation;
    for (const commit of commits) commit();
    this.#layer.committed(next);
    const lost = new Set<Connection>();
    for (const { name, listener, contexts, requests } of before) {
      // Open requests keep the configuration they started under, and count under its routes.
      if (requests !== null) this.#retirement.add({ generation, live: () => requests.open });
      const successor = listeners.get(name) ?? null;
      for (const context of contexts) {
        if (successor?.uses(context) === true) continue;
        this.#retireContext(context, listener, generation);
        const { live } = this.#layer.groupOf(context);
        if (live.size === 0 || successor?.covers(context) === true) continue;
        for (const connection of live) lost.add(connection);
      }
      if (successor !== listener) this.#replace(name, listener, successor, generation, next);
    }
    for (const connection of this.liveConnections({ kind: 'all' })) {
      if (connection.endpoint?.removed === true) lost.add(connection);
    }
    return [...lost];
  }

  #retireContext(context: Context, listener: Listener, generation: number): void {
    const { live, pending } = this.#layer.groupOf(context);
    this.#oldContexts.add(context);
    this.#retirement.add({
      generation,
      live: () => live.size + pending.size,
      mayGrow: () => listener.mayGrow && listener.uses(context),
      countsConnections: true,
      onOver: () => this.#oldContexts.delete(context),
    });
  }

  /** @param successor null if the new configuration has no listener of this name */
  #replace(
    name: string,
    listener: Listener,
    successor: Listener | null,
    generation: number,
    { config }: Environment,
  ): void {
    this.#oldListeners.add(listener);
    if (successor === null) {
      this.#stopUnderLock(listener);
      listener.admit(false);
    } else {
      listener.follow(successor);
      // Every worker has created a successor, and these are the newest sockets on the address.
      listener.handOver(-config.workers[this.#layer.kind]);
      this.#clock.delay(REPLACED_ACCEPT_MS, () => this.#stopUnderLock(listener));
    }
    this.#retirement.add({
      generation,
      live: () => {
        if (listener.listens) return 1;
        // Without a successor, a connection between two requests has no further use.
        const isUsed = successor !== null || listener.unanswered > 0 || this.#hasConnections(name);
        return isUsed ? listener.connections : 0;
      },
      isCurrent: () => this.#listeners.has(name),
      onOver: () => {
        this.#oldListeners.delete(listener);
        this.#closeListener(listener);
      },
    });
  }

  #hasConnections(listener: string): boolean {
    return this.liveConnections({ kind: 'listener', name: listener }).length > 0;
  }
}
