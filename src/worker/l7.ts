import type { L7Listener as L7ListenerConfig } from '../config/types/listener.ts';
import { LiveSet } from '../core/collections/live-set.ts';
import { RandomPool } from '../core/random-pool.ts';
import { ThreadLock } from '../core/thread-lock.ts';
import { BoundConnections } from '../l7/bound/bound-connections.ts';
import { BufferBudget } from '../l7/buffers/buffer-budget.ts';
import { ConnectionPool } from '../l7/http/connection-pool.ts';
import { REQUEST_SLAB_SIZE, RequestWriter } from '../l7/http/request-writer.ts';
import type { L7Environment } from '../l7/dispatch/environment.ts';
import { L7Listener } from '../l7/dispatch/l7-listener.ts';
import { Outbox, SLAB_SIZE } from '../l7/websocket/message-relay/outbox.ts';
import { UwsEngine } from '../l7/uws/uws-engine.ts';
import { netDialler } from '../l7/upstream/net-upstream.ts';
import { RawDialler } from '../l7/upstream/raw-upstream.ts';
import type { UpstreamDialler } from '../l7/upstream/upstream-socket.ts';
import { EventLoop } from '../loop/event-loop.ts';
import { deferToPollPhase } from '../loop/poll-phase.ts';
import type { Session } from '../l7/websocket/message-relay/message-session.ts';
import type { UpgradeContext } from '../l7/websocket/upgrade.ts';
import type { DrainScope, WorkerStart } from '../protocol/to-worker.ts';
import { keepLargeBlocksApart } from '../sys/memory/allocator.ts';
import { PinnedBuffer } from '../sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../sys/support.ts';
import { drained } from './drained.ts';
import type { Environment } from './environment.ts';
import { Retirement } from './retirement.ts';
import { runService } from './service-task.ts';
import type { Change, Service } from './service.ts';

/** After the last session, how long its close frame may take to reach a client before the connection is cut. */
const FLUSH_MS = 1000;
/** The same where others have taken over: a client that was accepted just before may send its request yet. */
const LAST_REQUEST_MS = 5000;
const REFRESH_MS = 1000;
/** How long a listener that another takes the place of still accepts what the kernel has for it. */
const REPLACED_MS = 1000;

type Slab = ConstructorParameters<typeof Outbox>[0];

/** The layer 7 worker's task: serves every `l7` listener of the configuration until drained. */
export default function serve(start: WorkerStart): Promise<void> {
  return runService(start, (environment, { listenLock }) => new WebService(environment, listenLock));
}

class WebService implements Service {
  readonly innerLoop: EventLoop | null;
  readonly #dialler: UpstreamDialler;
  readonly #later: (callback: () => void) => void;
  readonly #outbox: Outbox;
  readonly #writer: RequestWriter;
  readonly #pool: ConnectionPool;
  readonly #bound: BoundConnections;
  readonly #budget: BufferBudget;
  readonly #requests: L7Environment['requests'] = new LiveSet();
  readonly #engine: UwsEngine;
  readonly #random = new RandomPool();
  /** Listening sockets of a process are opened and closed one at a time: see `sys/sockets/hand-over.ts`. */
  readonly #lock: ThreadLock;
  readonly #retirement = new Retirement();
  readonly #refresh: NodeJS.Timeout;
  /** Whether others serve the same addresses from now on. */
  #leaves = false;
  #aborted = false;
  #generation: number;
  /** By name. */
  #listeners: ReadonlyMap<string, L7Listener>;
  /** Those that have been replaced or removed, and have connections left. */
  readonly #old = new Set<L7Listener>();
  /** Routes to clusters that have been changed or removed, and have sessions left. */
  readonly #oldContexts = new Set<UpgradeContext>();

  constructor(environment: Environment, listenLock: SharedArrayBuffer) {
    const { page, wheel, log } = environment;
    this.#generation = environment.generation;
    this.#lock = new ThreadLock(listenLock);
    // Without system calls everything goes through Node's streams: slower, and no different otherwise.
    const reason = unsupportedReason();
    if (reason !== null) log.info({ reason }, 'system calls are not used');
    const loop = reason === null ? new EventLoop(wheel) : null;
    this.innerLoop = loop;
    // The memory of a closed session goes back to the system, and not only to the next session.
    if (loop !== null) keepLargeBlocksApart();
    this.#dialler = loop === null ? netDialler : new RawDialler(loop);
    const slab = (size: number): Slab =>
      loop === null ? { bytes: Buffer.allocUnsafeSlow(size), send: () => -1 } : new PinnedBuffer(size);
    const later = loop === null ? deferToPollPhase : (callback: () => void): void => loop.defer(callback);
    this.#later = (callback) => {
      // After an abort nothing is read from clients, and nothing would run later.
      if (this.#aborted) callback();
      else
        later(() => {
          callback();
          this.#dialler.downstreamTouched();
        });
    };
    this.#outbox = new Outbox(slab(SLAB_SIZE), later);
    this.#writer = new RequestWriter(slab(REQUEST_SLAB_SIZE));
    this.#pool = new ConnectionPool(wheel);
    this.#budget = new BufferBudget(shareOfBudget(environment), page);
    this.#engine = new UwsEngine({ log, later: this.#later, loop, budget: this.#budget });
    this.#bound = new BoundConnections(wheel, this.#engine.clients, page, log);
    const shared = this.#share(environment);
    this.#listeners = new Map(
      configsOf(environment).map((config) => [
        config.name,
        new L7Listener(config, shared, this.#engine, null),
      ]),
    );
    this.#refresh = setInterval(() => this.#budget.refresh(), REFRESH_MS);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a listener that cannot listen must reject
  async listen(): Promise<void> {
    for (const listener of this.#listeners.values()) listener.listen(this.#lock);
    this.innerLoop?.start();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async prepare(next: Environment): Promise<Change> {
    const shared = this.#share(next);
    const listeners = new Map<string, L7Listener>();
    const commits: (() => void)[] = [];
    const made: L7Listener[] = [];
    const abort = (): void => {
      for (const listener of made) listener.close();
    };
    try {
      for (const config of configsOf(next)) {
        const current = this.#listeners.get(config.name);
        if (current?.fits(config) === true) {
          listeners.set(config.name, current);
          commits.push(current.prepare(config, shared));
          continue;
        }
        const listener = new L7Listener(config, shared, this.#engine, current?.dispatcher ?? null);
        made.push(listener);
        listener.listen(this.#lock);
        listeners.set(config.name, listener);
      }
    } catch (error) {
      abort();
      throw error;
    }
    return { commit: () => this.#commit(next, listeners, commits), abort };
  }

  older(generation: number): { connections: number; oldest: number } {
    return this.#retirement.sweep(generation);
  }

  living(scope: DrainScope): Session[] {
    return this.#contexts().flatMap((context) => {
      const { sessions } = context.session;
      switch (scope.kind) {
        case 'all':
          return [...sessions];
        case 'listener':
          return context.listener === scope.name ? [...sessions] : [];
        case 'cluster':
          return context.cluster.name === scope.name ? [...sessions] : [];
        case 'endpoint':
          return context.cluster.name === scope.cluster
            ? [...sessions].filter((session) => session.isOf(scope.cluster, scope.name))
            : [];
      }
    });
  }

  admit(scope: DrainScope, admitted: boolean): void {
    if (scope.kind === 'cluster' || scope.kind === 'endpoint') return;
    for (const [name, { dispatcher }] of this.#listeners) {
      if (scope.kind === 'all' || scope.name === name) dispatcher.draining = !admitted;
    }
  }

  leave(from: number | null): void {
    this.#leaves = true;
    for (const listener of this.#listeners.values()) listener.leave(from);
  }

  stop(): void {
    for (const listener of this.#listeners.values()) {
      this.#lock.hold(() => listener.stop());
      if (!this.#leaves) listener.dispatcher.draining = true;
    }
  }

  cancelPending(): void {
    for (const { pending } of this.#contexts()) for (const upgrade of pending) upgrade.cancel();
  }

  sessions(): Session[] {
    return this.living({ kind: 'all' });
  }

  emptied(mostMs: number): Promise<void> {
    const listeners = [...this.#listeners.values(), ...this.#old];
    const idle = (): boolean =>
      this.#contexts().every(({ session, pending }) => session.sessions.size + pending.size === 0) &&
      listeners.every(({ unanswered }) => unanswered === 0);
    const lastMs = this.#leaves ? LAST_REQUEST_MS : FLUSH_MS;
    let idleSince = Infinity;
    return drained(() => {
      if (!idle()) {
        idleSince = Infinity;
        return false;
      }
      if (listeners.every(({ connections }) => connections === 0)) return true;
      idleSince = Math.min(idleSince, performance.now());
      return performance.now() - idleSince >= lastMs;
    }, mostMs);
  }

  abort(): void {
    this.#aborted = true;
    clearInterval(this.#refresh);
    for (const session of this.sessions()) session.abort();
    for (const request of this.#requests) request.cancel();
    for (const listener of [...this.#listeners.values(), ...this.#old]) listener.close();
    this.#pool.close();
    this.#bound.close();
    this.#engine.close();
    this.innerLoop?.close();
  }

  #share(environment: Environment): L7Environment {
    return {
      ...environment,
      dialler: this.#dialler,
      later: this.#later,
      outbox: this.#outbox,
      writer: this.#writer,
      pool: this.#pool,
      bound: this.#bound,
      budget: this.#budget,
      requests: this.#requests,
      unfinished: this.#engine.unfinished,
      random: this.#random,
    };
  }

  #contexts(): UpgradeContext[] {
    const current = [...this.#listeners.values()].flatMap(({ dispatcher }) => dispatcher.contexts);
    return [...current, ...this.#oldContexts];
  }

  /** Returns the sessions that have lost their route, cluster or endpoint. */
  #commit(
    next: Environment,
    listeners: ReadonlyMap<string, L7Listener>,
    commits: readonly (() => void)[],
  ): Session[] {
    const before = new Map(Array.from(this.#listeners, ([name, { dispatcher }]) => [name, dispatcher]));
    const replaced = [...this.#listeners].filter(([name, listener]) => listeners.get(name) !== listener);
    const generation = this.#generation;
    this.#listeners = listeners;
    this.#generation = next.generation;
    for (const commit of commits) commit();
    this.#budget.resize(shareOfBudget(next));
    this.#bound.closeRemoved();
    const lost = new Set<Session>();
    for (const [name, dispatcher] of before) {
      // Answers that are still under way count where the old routes counted.
      this.#retirement.add({ generation, live: () => dispatcher.open });
      const successor = listeners.get(name)?.dispatcher;
      for (const context of dispatcher.contexts) {
        if (successor?.has(context) === true) continue;
        this.#retire(context, generation);
        if (successor?.covers(context) !== true)
          for (const session of context.session.sessions) lost.add(session);
      }
    }
    for (const [name, listener] of replaced) this.#replace(name, listener, generation, next);
    for (const session of this.sessions()) if (session.endpoint.removed) lost.add(session);
    return [...lost];
  }

  #hasSessions(listener: string): boolean {
    return this.living({ kind: 'listener', name: listener }).length > 0;
  }

  #retire(context: UpgradeContext, generation: number): void {
    this.#oldContexts.add(context);
    this.#retirement.add({
      generation,
      live: () => context.session.sessions.size + context.pending.size,
      counts: true,
      onOver: () => this.#oldContexts.delete(context),
    });
  }

  #replace(name: string, listener: L7Listener, generation: number, { config }: Environment): void {
    this.#old.add(listener);
    const successor = this.#listeners.get(name);
    if (successor === undefined) {
      listener.stop();
      listener.dispatcher.draining = true;
    } else {
      listener.follow(successor);
      // Every worker has made another, which are the newest.
      listener.leave(-config.workers.l7);
      setTimeout(() => this.#lock.hold(() => listener.stop()), REPLACED_MS);
    }
    this.#retirement.add({
      generation,
      live: () => {
        if (listener.listens) return 1;
        // Where there is no other, a connection that is between two requests is of no more use.
        const used = successor !== undefined || listener.unanswered > 0 || this.#hasSessions(name);
        return used ? listener.connections : 0;
      },
      stillThere: () => this.#listeners.has(name),
      onOver: () => {
        this.#old.delete(listener);
        listener.close();
      },
    });
  }
}

function configsOf({ config }: Environment): L7ListenerConfig[] {
  return config.listeners.filter((listener) => listener.mode === 'l7');
}

function shareOfBudget({ config: { workers } }: Environment): number {
  return workers.bufferBudget / workers.l7;
}
