/** Endpoints that a cluster finds by a name, behind a DNS server of the test. */
import { eventually } from '../deadline.ts';
import { askAdmin } from '../http/admin-client.ts';
import { DnsServer } from '../processes/dns-server.ts';
import { WsEndpoint, WsPeer } from '../websocket/ws-peer.ts';
import { WebRig } from './web-rig.ts';

/** Part of an endpoint's status at the admin address. */
export interface EndpointStatus {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  readonly state: string;
}

/** The servers and processes that one test has started. */
export class NameStage {
  readonly #cleanups: (() => unknown)[] = [];

  /** Starts a DNS server. */
  async dnsServer(...records: Parameters<typeof DnsServer.start>): Promise<DnsServer> {
    const server = await DnsServer.start(...records);
    this.#cleanups.push(() => server.stop());
    return server;
  }

  /** Listens at each of these addresses, all on the same port, as a name has it. */
  async endpointsAt(hosts: readonly string[]): Promise<{ port: number; endpoints: WsEndpoint[] }> {
    return eventually(async () => {
      const endpoints: WsEndpoint[] = [];
      try {
        for (const host of hosts)
          endpoints.push(await WsEndpoint.listen({ host, port: endpoints[0]?.port ?? 0 }));
      } catch (error) {
        // Somebody else has that port at another of the addresses.
        for (const endpoint of endpoints) endpoint.close();
        throw error;
      }
      this.#cleanups.push(() => {
        for (const endpoint of endpoints) endpoint.close();
      });
      return { port: endpoints[0]!.port, endpoints };
    });
  }

  /** Starts a proxy with one cluster, `app`. */
  async proxy(
    cluster: Record<string, unknown> & { endpoints: readonly string[] },
    listeners: Record<string, object> = { web: {} },
  ): Promise<WebRig> {
    const rig = await WebRig.start({
      listeners,
      clusters: { app: cluster },
      workers: { l7: 1, l4: 1 },
      log: { access: false },
    });
    this.#cleanups.push(() => rig.sluice.stop());
    return rig;
  }

  /** Adds a step to {@link clear}; the steps run in reverse order. */
  onClear(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends everything that the test has started. */
  async clear(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}

/** Reads the endpoints of the first cluster at the admin address. */
export async function statusOf(rig: WebRig): Promise<EndpointStatus[]> {
  const { body } = await askAdmin(rig.sluice.admin, '/status');
  const { clusters } = JSON.parse(body) as { clusters: { endpoints: EndpointStatus[] }[] };
  return clusters[0]!.endpoints;
}

/** Reads the addresses of the first cluster, sorted. */
export async function addresses(rig: WebRig): Promise<string[]> {
  return (await statusOf(rig)).map(({ address }) => address).sort();
}

/** Connects clients one after the other, and counts how many each endpoint gets. */
export async function spread(
  rig: WebRig,
  endpoints: readonly WsEndpoint[],
  clients: number,
): Promise<number[]> {
  const before = endpoints.map(({ sessions }) => sessions.count);
  const all: WsPeer[] = [];
  for (let count = 0; count < clients; count++) all.push(await WsPeer.connect(`ws://${rig.address('web')}/`));
  for (const client of all) client.socket.terminate();
  return endpoints.map(({ sessions }, index) => sessions.count - before[index]!);
}
