import type { Config } from '../config/types/config.ts';
import type { L7Listener as L7ListenerConfig } from '../config/types/listener.ts';
import type { Route } from '../config/types/route.ts';
import { LiveSet } from '../core/collections/live-set.ts';
import { loadExpressions } from '../core/linear-expression.ts';
import { RandomPool } from '../core/random-pool.ts';
import { ThreadLock } from '../core/thread-lock.ts';
import type { NextTurn, Slices } from '../core/timing/slices.ts';
import { RawTunnelMaker } from '../l4/raw/raw-tunnel-maker.ts';
import { RawLoop } from '../l4/raw/raw-tunnel.ts';
import type { Tunnel } from '../l4/tunnel.ts';
import { BoundConnections } from '../l7/bound/bound-connections.ts';
import { BufferBudget } from '../l7/buffers/buffer-budget.ts';
import { WRITER_SLAB_BYTES } from '../l7/buffers/channel-writer.ts';
import { createSlab } from '../l7/buffers/slab.ts';
import type { RelaySession } from '../l7/contract/relay.ts';
import type { L7Environment } from '../l7/dispatch/l7-environment.ts';
import { ConnectionPool } from '../l7/http/connection-pool.ts';
import { RequestWriter } from '../l7/http/request-writer.ts';
import { loadContentTypes } from '../l7/static/static-files.ts';
import { netDialler } from '../l7/upstream/net-upstream.ts';
import { RawDialler } from '../l7/upstream/raw-upstream.ts';
import { deferToPollPhase } from '../loop/poll-phase.ts';
import type { WorkerStart } from '../protocol/to-worker.ts';
import { fixMmapThreshold } from '../sys/memory/allocator.ts';
import { unsupportedReason } from '../sys/support.ts';
import type { Environment } from './environment.ts';
import { Generations } from './generations/generations.ts';
import type { ConnectionGroup, Layer } from './generations/layer.ts';
import { L7Engines, loadEngines } from './l7-engines.ts';
import { runService } from './service-task.ts';
import { loadTaps } from './tap/tap-loading.ts';
import { hasTunnels, tunnelGroup } from './tunnels/tunnel-group.ts';
import { WebListener, type WebContext } from './tunnels/web-listener.ts';
import { WebTunnelMaker } from './tunnels/web-tunnels.ts';

/** Interval of {@link BufferBudget.refresh}. */
const REFRESH_MS = 1000;

/** Runs the layer 7 worker's task: serves every `l7` listener of the configuration until drained. */
export default async function serve(start: WorkerStart): Promise<void> {
  await loadEngines(webListeners(start.config));
  return runService(start, (environment, { listenLock }) => {
    return new Generations(new WebLayer(environment), environment, new ThreadLock(listenLock));
  });
}

/**
 * The layer 7 part of a worker: its listeners, and the state their connections share for the worker's whole
 * life.
 */
class WebLayer implements Layer<
  WebListener,
  L7ListenerConfig,
  L7Environment,
  WebContext,
  RelaySession | Tunnel
> {
  readonly kind = 'l7';
  /** Null without system calls. */
  readonly innerLoop: RawLoop | null;
  readonly nextTurn: NextTurn;
  readonly #engines: L7Engines;
  readonly #tunnels: WebTunnelMaker;
  readonly #shared: Omit<L7Environment, keyof Environment>;
  readonly #refresh: NodeJS.Timeout;
  #aborted = false;

  constructor(environment: Environment) {
    const { page, wheel, log } = environment;
    // Without system calls, everything goes through Node's streams: slower, but otherwise the same.
    const reason = unsupportedReason();
    if (reason !== null) log.info({ reason }, 'system calls not used');
    const loop = reason === null ? new RawLoop(wheel) : null;
    this.innerLoop = loop;
    // The memory of a closed session then returns to the system, not only to the next session.
    if (loop !== null) fixMmapThreshold();
    const rawDialler = loop === null ? null : new RawDialler(loop);
    const dialler = rawDialler ?? netDialler;
    const defer = loop === null ? deferToPollPhase : (callback: () => void): void => loop.defer(callback);
    const later = (callback: () => void): void => {
      // After an abort, clients are not read any more, and a deferred callback would never run.
      if (this.#aborted) callback();
      else
        defer(() => {
          callback();
          loop?.yieldToNode();
        });
    };
    const budget = new BufferBudget(budgetShareOf(environment), page);
    const random = new RandomPool();
    const nextTurn: NextTurn = (callback) => {
      setImmediate(callback);
      loop?.yieldToNode();
    };
    this.nextTurn = nextTurn;
    const channels = rawDialler?.context ?? null;
    this.#engines = new L7Engines({
      log,
      wheel,
      budget,
      random,
      ticketKeys: environment.ticketKeys.of,
      channels,
      defer,
      nextTurn,
      later,
    });
    this.#tunnels = new WebTunnelMaker(loop === null ? null : new RawTunnelMaker(loop));
    this.#shared = {
      dialler,
      writer: new RequestWriter(createSlab(WRITER_SLAB_BYTES, loop !== null)),
      pool: new ConnectionPool(wheel),
      bound: new BoundConnections(wheel, page, log),
      budget,
      requests: new LiveSet(),
      random,
      accessServices: {
        log,
        now: Date.now,
        yieldToNode: () => loop?.yieldToNode(),
        ...environment.clients.services,
      },
    };
    this.#refresh = setInterval(() => budget.refresh(), REFRESH_MS);
  }

  configsOf({ config }: Environment): L7ListenerConfig[] {
    return webListeners(config);
  }

  async load(environment: Environment): Promise<void> {
    const listeners = this.configsOf(environment);
    const has = (test: (route: Route) => boolean): boolean =>
      listeners.some(({ routes }) => routes.some(test));
    if (has(({ action }) => action.kind === 'static')) loadContentTypes();
    const nextTurn = (): Promise<void> => new Promise((resolve) => this.nextTurn(resolve));
    if (has(({ match }) => match.pathRegex !== null)) await loadExpressions(nextTurn);
    await loadTaps(environment.config.admin, nextTurn);
    await loadEngines(listeners);
  }

  share(environment: Environment): L7Environment {
    return { ...environment, ...this.#shared };
  }

  create(
    config: L7ListenerConfig,
    shared: L7Environment,
    previous: WebListener | null,
    slices: Slices,
  ): Promise<WebListener> {
    const making = { maker: this.#tunnels, previous, slices };
    return WebListener.create(config, shared, this.#engines.of(config), making);
  }

  closesAtEnd(context: WebContext): boolean {
    return !hasTunnels(context);
  }

  groupOf(context: WebContext): ConnectionGroup<RelaySession | Tunnel> {
    if (hasTunnels(context)) return tunnelGroup(context);
    const { listener, route, cluster, relays, pending } = context;
    const place = { listener, route: route.name, cluster: cluster.name };
    return { ...place, live: relays, sessions: relays, tunnels: [], handshakes: pending, pending };
  }

  started(): void {
    this.innerLoop?.start();
  }

  committed(environment: Environment): void {
    this.#shared.budget.resize(budgetShareOf(environment));
    this.#shared.pool.closeOutdated();
    this.#shared.bound.closeOutdated();
  }

  aborting(): void {
    this.#aborted = true;
    clearInterval(this.#refresh);
    for (const request of this.#shared.requests) request.cancel();
  }

  close(): void {
    this.#shared.pool.close();
    this.#shared.bound.close();
    this.#engines.close();
    this.innerLoop?.close();
  }
}

function webListeners({ listeners }: Pick<Config, 'listeners'>): L7ListenerConfig[] {
  return listeners.filter((listener) => listener.mode === 'l7');
}

function budgetShareOf({ config: { workers } }: Environment): number {
  return workers.bufferBudget / workers.l7;
}
