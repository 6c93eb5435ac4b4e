import { createServer, type Server } from 'node:net';
import type { TunnelContext, TunnelListener } from '../tunnel.ts';
import { NetTunnel } from './net-tunnel.ts';

/** The kernel's queue of connections that wait to be accepted; it takes the lesser of this and net.core.somaxconn. */
const BACKLOG = 4096;

/** The `net` engine: tunnels on `node:net`, for every platform that Node runs on. */
export class NetListener implements TunnelListener {
  readonly #context: TunnelContext;
  readonly #server: Server;
  readonly #tunnels = new Set<NetTunnel>();

  constructor(context: TunnelContext) {
    this.#context = context;
    const { config, stats } = context;
    // Paused: nothing is taken from a client before an endpoint can have it.
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true };
    this.#server = createServer({ ...options, keepAliveInitialDelay: 60_000 }, (client) => {
      if (config.maxConnections > 0 && stats.connections.active >= config.maxConnections) {
        stats.connections.rejected('limit');
        client.on('error', ignore);
        client.resetAndDestroy();
        return;
      }
      const tunnel = new NetTunnel(context, client, this.#tunnels);
      this.#tunnels.add(tunnel);
      tunnel.start();
    });
  }

  listen(): Promise<void> {
    const { address } = this.#context.config;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(
        { host: address.host, port: address.port, backlog: BACKLOG, reusePort: true },
        () => {
          this.#server.off('error', reject);
          // Such as EMFILE while accepting: those that wait are accepted later.
          this.#server.on('error', (error) => this.#context.log.error({ err: error }, 'accepting failed'));
          resolve();
        },
      );
    });
  }

  stop(): void {
    if (this.#server.listening) this.#server.close();
  }

  get active(): number {
    return this.#tunnels.size;
  }

  tunnelsOf(cluster: string, endpoint: string): NetTunnel[] {
    return [...this.#tunnels].filter((tunnel) => tunnel.isOf(cluster, endpoint));
  }

  abort(): void {
    for (const tunnel of this.#tunnels) tunnel.abort();
  }
}

function ignore(): void {
  // The connection is being cut: how it dies does not matter.
}
