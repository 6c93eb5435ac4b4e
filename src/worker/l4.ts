import { isDeepStrictEqual } from 'node:util';
import type { L4Listener } from '../config/types/listener.ts';
import { LiveSet } from '../core/collections/live-set.ts';
import { ThreadLock } from '../core/thread-lock.ts';
import { NetListener } from '../l4/net/net-listener.ts';
import { RawListener } from '../l4/raw/raw-listener.ts';
import { RawLoop } from '../l4/raw/raw-loop.ts';
import type { Tunnel, TunnelContext, TunnelListener } from '../l4/tunnel.ts';
import { TunnelStats } from '../l4/tunnel-stats.ts';
import type { DrainScope, WorkerStart } from '../protocol/to-worker.ts';
import { drained } from './drained.ts';
import type { Environment } from './environment.ts';
import { Retirement } from './retirement.ts';
import { runService } from './service-task.ts';
import type { Change, Service } from './service.ts';

/** How long a listener that another takes the place of still accepts what the kernel has for it. */
const REPLACED_MS = 1000;

/** The layer 4 worker's task: serves every `l4` listener of the configuration until drained. */
export default function serve(start: WorkerStart): Promise<void> {
  return runService(start, (environment, { listenLock }) => new TunnelService(environment, listenLock));
}

/** A listener, and the context of the tunnels that it opens now. */
interface Served {
  readonly listener: TunnelListener;
  readonly context: TunnelContext;
}

/** Listeners of both engines live in one thread: the loop of the one gives Node its turns for the other. */
class TunnelService implements Service {
  readonly #environment: Environment;
  /** Listening sockets of a process are closed one at a time: see `sys/sockets/hand-over.ts`. */
  readonly #lock: ThreadLock;
  readonly #retirement = new Retirement();
  readonly #oldContexts = new Set<TunnelContext>();
  #loop: RawLoop | null = null;
  #generation: number;
  /** By name. */
  #served: ReadonlyMap<string, Served>;

  constructor(environment: Environment, listenLock: SharedArrayBuffer) {
    this.#environment = environment;
    this.#lock = new ThreadLock(listenLock);
    this.#generation = environment.generation;
    this.#served = new Map(
      configsOf(environment).map((config) => [config.name, this.#serve(contextOf(config, environment))]),
    );
  }

  get innerLoop(): RawLoop | null {
    return this.#loop;
  }

  async listen(): Promise<void> {
    await Promise.all(Array.from(this.#served.values(), ({ listener }) => listener.listen()));
  }

  async prepare(next: Environment): Promise<Change> {
    const served = new Map<string, Served>();
    const commits: (() => void)[] = [];
    const made: TunnelListener[] = [];
    const abort = (): void => {
      for (const listener of made) listener.stop();
    };
    try {
      for (const config of configsOf(next)) {
        const context = contextOf(config, next);
        const current = this.#served.get(config.name);
        if (!current?.listener.fits(config)) {
          const fresh = this.#serve(context);
          made.push(fresh.listener);
          served.set(config.name, fresh);
        } else if (sameFor(current.context, context)) {
          served.set(config.name, current);
        } else {
          served.set(config.name, { listener: current.listener, context });
          commits.push(() => current.listener.use(context));
        }
      }
      await Promise.all(made.map((listener) => listener.listen()));
    } catch (error) {
      abort();
      throw error;
    }
    return { commit: () => this.#commit(next, served, commits), abort };
  }

  older(generation: number): { connections: number; oldest: number } {
    return this.#retirement.sweep(generation);
  }

  living(scope: DrainScope): Tunnel[] {
    return this.#contexts().flatMap(({ config, cluster, tunnels }) => {
      switch (scope.kind) {
        case 'all':
          return [...tunnels];
        case 'listener':
          return config.name === scope.name ? [...tunnels] : [];
        case 'cluster':
          return cluster.name === scope.name ? [...tunnels] : [];
        case 'endpoint':
          return cluster.name === scope.cluster
            ? [...tunnels].filter((tunnel) => tunnel.isOf(scope.cluster, scope.name))
            : [];
      }
    });
  }

  admit(scope: DrainScope, admitted: boolean): void {
    if (scope.kind === 'cluster' || scope.kind === 'endpoint') return;
    for (const [name, { listener }] of this.#served) {
      if (scope.kind === 'listener' && scope.name !== name) continue;
      if (!admitted) listener.stop();
      else void listener.listen().catch((error: unknown) => this.#failed(name, error));
    }
  }

  leave(from: number | null): void {
    for (const { listener } of this.#served.values()) listener.leave(from);
  }

  stop(): void {
    for (const { listener } of this.#served.values()) this.#lock.hold(() => listener.stop());
  }

  cancelPending(): void {
    // A client whose endpoint is being dialled has its time, as a tunnel has.
  }

  sessions(): Tunnel[] {
    return [];
  }

  emptied(mostMs: number): Promise<void> {
    return drained(() => this.#contexts().every(({ tunnels }) => tunnels.size === 0), mostMs);
  }

  abort(): void {
    try {
      this.stop();
      for (const tunnel of this.living({ kind: 'all' })) tunnel.abort();
    } finally {
      this.#loop?.close();
    }
  }

  #serve(context: TunnelContext): Served {
    if (context.config.engine !== 'raw') return { listener: new NetListener(context), context };
    this.#loop ??= new RawLoop(this.#environment.wheel);
    return { listener: new RawListener(context, this.#loop), context };
  }

  #contexts(): TunnelContext[] {
    return [...Array.from(this.#served.values(), ({ context }) => context), ...this.#oldContexts];
  }

  /** Returns the tunnels that have lost their listener, cluster or endpoint. */
  #commit(
    next: Environment,
    served: ReadonlyMap<string, Served>,
    commits: readonly (() => void)[],
  ): Tunnel[] {
    const before = this.#served;
    const generation = this.#generation;
    this.#served = served;
    this.#generation = next.generation;
    for (const commit of commits) commit();
    const lost = new Set<Tunnel>();
    for (const [name, { listener, context }] of before) {
      const successor = served.get(name);
      if (successor?.listener !== listener) this.#replace(listener, successor !== undefined, next);
      if (successor?.context === context) continue;
      this.#retire(context, generation);
      if (successor?.context.cluster !== context.cluster)
        for (const tunnel of context.tunnels) lost.add(tunnel);
    }
    for (const tunnel of this.living({ kind: 'all' }))
      if (tunnel.endpoint?.removed === true) lost.add(tunnel);
    return [...lost];
  }

  #retire(context: TunnelContext, generation: number): void {
    this.#oldContexts.add(context);
    this.#retirement.add({
      generation,
      live: () => context.tunnels.size,
      counts: true,
      onOver: () => this.#oldContexts.delete(context),
    });
  }

  #replace(listener: TunnelListener, hasSuccessor: boolean, { config }: Environment): void {
    if (!hasSuccessor) {
      listener.stop();
      return;
    }
    // Every worker has made another, which are the newest.
    listener.leave(-config.workers.l4);
    setTimeout(() => this.#lock.hold(() => listener.stop()), REPLACED_MS);
  }

  #failed(name: string, error: unknown): void {
    this.#environment.log.error({ err: error, listener: name }, 'the listener does not listen again');
  }
}

function configsOf({ config }: Environment): L4Listener[] {
  return config.listeners.filter((listener) => listener.mode === 'l4');
}

function contextOf(config: L4Listener, environment: Environment): TunnelContext {
  const { page, pages, wheel, log, access, clusters, descriptors } = environment;
  const cluster = clusters.get(config.cluster)!;
  const stats = new TunnelStats(page, pages, config.name, config.cluster);
  return { config, cluster, stats, descriptors, wheel, log, access, tunnels: new LiveSet() };
}

/** Whether tunnels under the two contexts differ in nothing, so that the older one stays. */
function sameFor(a: TunnelContext, b: TunnelContext): boolean {
  return a.cluster === b.cluster && a.access === b.access && isDeepStrictEqual(a.config, b.config);
}
