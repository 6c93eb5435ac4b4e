/** Connections through four real workers to five endpoints of weights 1 to 5, and what each endpoint gets of them. */
import assert from 'node:assert/strict';
import { eventually, within } from '../deadline.ts';
import { TcpEndpoint, TcpPeer } from '../sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../websocket/ws-peer.ts';
import { WebRig } from './web-rig.ts';

const WEIGHTS = [1, 2, 3, 4, 5];
const WORKERS = 4;
/** Clients that connect at the same time. */
const AT_ONCE = 64;
/** Node's 511 are too few for dials that come faster than this process accepts: it has the clients too. */
const BACKLOG = 4096;

interface Spread {
  readonly balancer: 'round_robin' | 'least_connections';
  readonly mode: 'l4' | 'l7';
  /** Connections that are open at the same time, and how often that number is opened. */
  readonly connections: number;
  readonly waves: number;
}

/**
 * Opens the connections, and throws where an endpoint has not got its share.
 *
 * @returns what each endpoint has got
 */
export async function assertEvenSpread({ balancer, mode, connections, waves }: Spread): Promise<number[]> {
  const endpoints = await Promise.all(
    WEIGHTS.map(() =>
      mode === 'l4'
        ? TcpEndpoint.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG })
        : WsEndpoint.listen(),
    ),
  );
  const addresses = endpoints.map(({ address }) => address);
  const rig = await WebRig.start({
    listeners: { front: mode === 'l4' ? { mode, cluster: 'app' } : { mode } },
    clusters: {
      app: {
        balancer,
        endpoints: addresses.map((address, index) => ({ address, weight: WEIGHTS[index] })),
      },
    },
    workers: { [mode]: WORKERS },
    log: { access: false },
  });
  try {
    const counts = async (name: string): Promise<number[]> => {
      const metrics = await rig.scrape();
      return addresses.map((endpoint) => metrics.sum(name, { cluster: 'app', endpoint }));
    };
    for (let wave = 1; wave <= waves; wave++) {
      const cuts = await openAll(rig.address('front'), mode, connections);
      await eventually(async () =>
        assert.equal(sumOf(await counts('sluice_endpoint_connects_total')), connections * wave),
      );
      assertShares(await counts('sluice_endpoint_connections_active'));
      for (const cut of cuts) cut();
      // Connections that are not read do not notice their end.
      for (const endpoint of endpoints) if (endpoint instanceof TcpEndpoint) endpoint.clear();
      await eventually(async () =>
        assert.equal(sumOf(await counts('sluice_endpoint_connections_active')), 0),
      );
    }
    const total = await counts('sluice_endpoint_connects_total');
    assertShares(total);
    return total;
  } finally {
    for (const endpoint of endpoints) endpoint.close();
    await rig.sluice.stop();
  }
}

/** Returns how to cut each of them. */
async function openAll(address: string, mode: 'l4' | 'l7', count: number): Promise<(() => void)[]> {
  const cuts: (() => void)[] = [];
  let left = count;
  const open = async (): Promise<void> => {
    while (left > 0) {
      left--;
      if (mode === 'l4') {
        const peer = await TcpPeer.connect(address);
        cuts.push(() => peer.reset());
      } else {
        const { socket } = await WsPeer.connect(`ws://${address}/`);
        cuts.push(() => socket.terminate());
      }
    }
  };
  await within('the connections', Promise.all(Array.from({ length: AT_ONCE }, open)), 300_000);
  return cuts;
}

/** Within 3% of what their weights say. */
function assertShares(counts: readonly number[]): void {
  for (const [index, weight] of WEIGHTS.entries()) {
    const share = (sumOf(counts) * weight) / sumOf(WEIGHTS);
    assert.ok(Math.abs(counts[index]! - share) <= 0.03 * share, `${counts.join(' ')} of ${sumOf(counts)}`);
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
