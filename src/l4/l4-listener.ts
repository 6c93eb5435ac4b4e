import { isDeepStrictEqual } from 'node:util';
import type { L4Listener as L4ListenerConfig } from '../config/types/listener.ts';
import { LiveSet } from '../core/collections/live-set.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';
import type { Cluster } from '../upstream/cluster.ts';
import { TunnelStats } from './tunnel-stats.ts';
import type { TunnelContext, TunnelListener } from './tunnel.ts';

/** What the layer 4 listeners of one worker share. */
export interface L4Environment extends Pick<TunnelContext, 'descriptors' | 'wheel' | 'log' | 'access'> {
  readonly page: StatsPage;
  /** The values of every worker's page. */
  readonly pages: readonly Float64Array[];
  readonly clusters: ReadonlyMap<string, Cluster>;
}

/** One layer 4 listener in one worker, whatever engine carries its tunnels. */
export class L4Listener {
  readonly #carrier: TunnelListener;
  #context: TunnelContext;
  /** Layer 4 has no requests. */
  readonly requests = null;
  readonly unanswered = 0;
  /** Tunnels live under their contexts, and no other connection stays open here. */
  readonly connections = 0;

  /** @param engine makes the engine's part of the listener */
  constructor(
    config: L4ListenerConfig,
    environment: L4Environment,
    engine: (context: TunnelContext) => TunnelListener,
  ) {
    this.#context = contextOf(config, environment);
    this.#carrier = engine(this.#context);
  }

  /** Whether the listener can serve another configuration with the socket that it has. */
  fits(config: L4ListenerConfig): boolean {
    return this.#carrier.fits(config);
  }

  /** Gets ready for another configuration that {@link fits}. Returns a function that brings it into force. */
  prepare(config: L4ListenerConfig, environment: L4Environment): () => void {
    const next = contextOf(config, environment);
    if (isSame(this.#context, next)) return () => undefined;
    return () => {
      this.#context = next;
      this.#carrier.use(next);
    };
  }

  /** The context of the tunnels that begin now. */
  get contexts(): readonly TunnelContext[] {
    return [this.#context];
  }

  /** Whether new tunnels lead to the cluster of an older context, so that its tunnels may live on. */
  covers({ cluster }: TunnelContext): boolean {
    return cluster === this.#context.cluster;
  }

  /** Resolves when connections are accepted; rejects if the address cannot be bound. */
  listen(): Promise<void> {
    return this.#carrier.listen();
  }

  get listens(): boolean {
    return this.#carrier.listens;
  }

  /** Hands new connections over to others: see {@link TunnelListener.leave}. */
  leave(from: number | null): void {
    this.#carrier.leave(from);
  }

  /** Accepts no more connections. Tunnels live on, and the listener may listen again. */
  stop(): void {
    this.#carrier.stop();
  }

  /** Stops or listens again: layer 4 has no way to refuse a client but its connection. */
  admit(admitted: boolean): void {
    if (!admitted) {
      this.stop();
      return;
    }
    // A drain that was only announced has not stopped it. The raw engine would lose the socket that it has.
    if (this.listens) return;
    void this.listen().catch((error: unknown) => {
      const { log, config } = this.#context;
      log.error({ err: error, listener: config.name }, 'the listener does not listen again');
    });
  }

  /** Does nothing: a tunnel keeps its context, and brings no second request. */
  follow(): void {
    // See above.
  }

  /** Stops. There is nothing else to close: tunnels belong to their contexts. */
  close(): void {
    this.stop();
  }
}

function contextOf(config: L4ListenerConfig, environment: L4Environment): TunnelContext {
  const { page, pages, wheel, log, access, clusters, descriptors } = environment;
  const cluster = clusters.get(config.cluster!)!;
  const stats = new TunnelStats(page, pages, config.name, cluster.name);
  return { config, cluster, stats, descriptors, wheel, log, access, tunnels: new LiveSet() };
}

/** Whether tunnels under two contexts differ in nothing, so that the older context stays. */
function isSame(a: TunnelContext, b: TunnelContext): boolean {
  return a.cluster === b.cluster && a.access === b.access && isDeepStrictEqual(a.config, b.config);
}
