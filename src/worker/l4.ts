import { NetListener } from '../l4/net/net-listener.ts';
import { RawListener } from '../l4/raw/raw-listener.ts';
import { RawLoop } from '../l4/raw/raw-loop.ts';
import type { TunnelListener } from '../l4/tunnel.ts';
import { TunnelStats } from '../l4/tunnel-stats.ts';
import type { WorkerStart } from '../protocol/to-worker.ts';
import { drained } from './drained.ts';
import type { Environment } from './environment.ts';
import type { Evictable } from './eviction.ts';
import { runService, type Service } from './service.ts';

/** The layer 4 worker's task: serves every `l4` listener of the configuration until drained. */
export default function serve(start: WorkerStart): Promise<void> {
  return runService(start, (environment) => new TunnelService(environment));
}

/** Listeners of both engines live in one thread: the loop of the one gives Node its turns for the other. */
class TunnelService implements Service {
  readonly innerLoop: RawLoop | null;
  readonly #listeners: readonly TunnelListener[];

  constructor(environment: Environment) {
    const { config, page, pages, wheel, log, access, clusters } = environment;
    const listeners = config.listeners.filter((listener) => listener.mode === 'l4');
    const loop = listeners.some(({ engine }) => engine === 'raw') ? new RawLoop(wheel) : null;
    this.innerLoop = loop;
    this.#listeners = listeners.map((listener) => {
      const cluster = clusters.get(listener.cluster)!;
      const stats = new TunnelStats(page, pages, listener.name, listener.cluster);
      const context = { config: listener, cluster, stats, wheel, log, access };
      return loop !== null && listener.engine === 'raw'
        ? new RawListener(context, loop)
        : new NetListener(context);
    });
  }

  async listen(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.listen()));
  }

  drain(graceMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.stop();
    return drained(() => this.#listeners.every((listener) => listener.active === 0), graceMs);
  }

  connectionsOf(cluster: string, endpoint: string): Evictable[] {
    return this.#listeners.flatMap((listener) => listener.tunnelsOf(cluster, endpoint));
  }

  abort(): void {
    try {
      for (const listener of this.#listeners) {
        listener.stop();
        listener.abort();
      }
    } finally {
      this.innerLoop?.close();
    }
  }
}
