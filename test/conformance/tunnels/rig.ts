/** A real proxy whose layer 4 listeners lead to the endpoints of a test. */
import { scrape, settled } from '../../support/http/metrics.ts';
import type { Metrics } from '../../support/http/metrics.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import type { SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TcpPeer } from '../../support/sockets/tcp-peer.ts';
import type { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';

/** What carries the tunnels. */
export interface TunnelEngine {
  readonly name: string;
  /** Makes a listener of these settings use the engine, where they do not name one. */
  readonly listener: (settings: object) => object;
}

/** A listener and the cluster behind it, of one name. */
export interface TunnelRoute {
  readonly endpoints: readonly string[];
  /** Settings of the listener; an address on 127.0.0.1 where it has none. */
  readonly listener?: object;
  /** Settings of the cluster. */
  readonly cluster?: object;
}

const GAUGES = [
  'sluice_tunnels_active',
  'sluice_connections_active',
  'sluice_endpoint_connections_active',
] as const;

export class TunnelRig {
  readonly sluice: SluiceProcess;
  readonly #clients: TcpPeer[] = [];

  private constructor(sluice: SluiceProcess) {
    this.sluice = sluice;
  }

  static async start(
    engine: TunnelEngine,
    workers: number,
    routes: Readonly<Record<string, TunnelRoute>>,
  ): Promise<TunnelRig> {
    const config = {
      workers: { l7: 1, l4: workers },
      admin: { address: '127.0.0.1:0' },
      shutdown: { grace: '0s' },
      listeners: Object.entries(routes).map(([name, { listener }]) =>
        engine.listener({ name, mode: 'l4', address: '127.0.0.1:0', cluster: name, ...listener }),
      ),
      clusters: Object.entries(routes).map(([name, { endpoints, cluster }]) => ({
        name,
        endpoints: endpoints.map((address) => ({ address })),
        ...cluster,
      })),
    };
    return new TunnelRig(await startSluice({ config }));
  }

  /** Connects; nothing is read before the client is told to. */
  async connect(listener: string): Promise<TcpPeer> {
    const client = await TcpPeer.connect(this.sluice.address(listener));
    this.#clients.push(client);
    return client;
  }

  /** Connects, and waits for the connection at the endpoint. */
  async join(
    listener: string,
    endpoint: TcpEndpoint,
  ): Promise<{ readonly client: TcpPeer; readonly peer: TcpPeer }> {
    const client = await this.connect(listener);
    return { client, peer: await endpoint.peers.next() };
  }

  /** Cuts every client and waits until no tunnel is left. */
  async clear(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    await this.settled();
  }

  /** Waits until the proxy counts no connection and no tunnel any more, and returns what it counts then. */
  settled(): Promise<Metrics> {
    return settled(this.sluice, GAUGES);
  }

  /** Ends the proxy; throws if a worker was restarted meanwhile. */
  async stop(): Promise<void> {
    const restarts = (await scrape(this.sluice)).sum('sluice_worker_restarts_total');
    const { code } = await this.sluice.stop();
    if (restarts !== 0 || code !== 0) {
      const faults = this.sluice.logs
        .filter(({ level }) => level === 'error')
        .map((line) => JSON.stringify(line));
      throw new Error(`${restarts} workers failed, exit status ${code ?? 'unknown'}\n${faults.join('\n')}`);
    }
  }
}
