import { NetListener } from '../l4/net/net-listener.ts';
import type { TunnelListener } from '../l4/tunnel.ts';
import { TunnelStats } from '../l4/tunnel-stats.ts';
import type { WorkerStart } from '../protocol/to-worker.ts';
import { drained } from './drained.ts';
import type { Environment } from './environment.ts';
import { runService, type Service } from './service.ts';

/** The layer 4 worker's task: serves every `l4` listener of the configuration until drained. */
export default function serve(start: WorkerStart): Promise<void> {
  return runService(start, (environment) => new TunnelService(environment));
}

class TunnelService implements Service {
  readonly #listeners: readonly TunnelListener[];

  constructor(environment: Environment) {
    const { config, page, pages, wheel, log, access, clusters } = environment;
    this.#listeners = config.listeners
      .filter((listener) => listener.mode === 'l4')
      .map((listener) => {
        const cluster = clusters.get(listener.cluster)!;
        const stats = new TunnelStats(page, pages, listener.name, listener.cluster);
        return new NetListener({ config: listener, cluster, stats, wheel, log, access });
      });
  }

  async listen(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.listen()));
  }

  drain(graceMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.stop();
    return drained(() => this.#listeners.every((listener) => listener.active === 0), graceMs);
  }

  abort(): void {
    for (const listener of this.#listeners) {
      listener.stop();
      listener.abort();
    }
  }
}
