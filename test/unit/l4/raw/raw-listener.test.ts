import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import type { OutlierSettings } from '../../../../src/config/types/cluster.ts';
import type { Address } from '../../../../src/core/address.ts';
import { formatAddress, parseTcpAddress } from '../../../../src/core/address.ts';
import { codeOf } from '../../../../src/core/errors.ts';
import { RawListener } from '../../../../src/l4/raw/raw-listener.ts';
import type { TunnelOwner } from '../../../../src/l4/tunnel.ts';
import { SystemCallError } from '../../../../src/sys/errno.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { addressContext } from '../../../../src/upstream/balancers/balancer.ts';
import { eventually } from '../../../support/deadline.ts';
import { TcpEndpoint, TcpPeer } from '../../../support/sockets/tcp-peer.ts';
import { freshAddress } from '../../sys/pairs.ts';
import { withWorld } from './world.ts';
import type { World } from './world.ts';

const clusterOutlier: OutlierSettings = {
  failures: ['connect'],
  windowMs: 10_000,
  minClients: 5,
  consecutiveFailures: 5,
  ejectionMs: 1000,
  maxEjectionMs: 1000,
  maxEjectedPercent: 100,
};
const skip = unsupportedReason() ?? false;

function addressOf(endpoint: TcpEndpoint): Address {
  return parseTcpAddress(endpoint.address)!;
}

function connect({ address }: World): Promise<TcpPeer> {
  return TcpPeer.connect(formatAddress(address));
}

async function withEndpoint(test: (endpoint: TcpEndpoint) => Promise<void>): Promise<void> {
  const endpoint = await TcpEndpoint.listen();
  try {
    await test(endpoint);
  } finally {
    endpoint.close();
  }
}

describe('a listener of the raw engine', { skip, timeout: 300_000 }, () => {
  it('refuses and counts descriptors above the ceiling, and serves later clients', async () => {
    await withEndpoint(async (endpoint) => {
      // Numbers that are in use already, and one more for each connection.
      const plan = { limit: 10_000, ceiling: 5000, clients: 100 };
      await withWorld([addressOf(endpoint)], { descriptors: plan }, async (world) => {
        const held = Array.from({ length: 5000 }, () => openSync('/dev/null', 'r'));
        const end = await connect(world).then((refused) => refused.read().closed(), codeOf);
        for (const fd of held) closeSync(fd);
        assert.equal(end, 'ECONNRESET');
        assert.equal(world.sum(pageMetrics.connectionsRejected), 1);
        assert.equal(world.sum(pageMetrics.connections), 0);
        const client = await connect(world);
        (await endpoint.peers.next()).destroy();
        client.destroy();
      });
    });
  });

  it('continues after serving a tunnel throws, and ends only that tunnel', async () => {
    await withEndpoint(async (endpoint) => {
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        const { context, lines } = world;
        const healthy = await connect(world);
        const peer = await endpoint.peers.next();
        // Whatever is not in order: when it is dialled, when it is joined, when it carries bytes.
        const faults: [object, string][] = [
          [context.cluster, 'attempts'],
          [context.cluster.connectDuration, 'observe'],
          [context.stats, 'opened'],
        ];
        for (const [object, method] of faults) {
          Object.defineProperty(object, method, {
            configurable: true,
            value: () => {
              throw new Error(`no ${method}`);
            },
          });
          // The reset may come before the test knows that it is connected.
          const end = await connect(world).then((broken) => broken.read().closed(), codeOf);
          assert.equal(end, 'ECONNRESET');
          assert.ok(Reflect.deleteProperty(object, method));
        }
        const messages = lines.flatMap(({ err }) => (err === undefined ? [] : [err.message]));
        assert.deepEqual(messages, ['no attempts', 'no observe', 'no opened']);
        healthy.read().send('still here');
        await peer.read().receivesText('still here');
        assert.equal(world.context.tunnels.size, 1);
        assert.equal(world.sum(pageMetrics.connectionsActive), 1);
        assert.equal(world.sum(pageMetrics.endpointConnectionsActive), 1);
        healthy.destroy();
        peer.destroy();
      });
    });
  });

  it('sends nothing to a cluster after a reload added TLS', async () => {
    await withEndpoint(async (endpoint) => {
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        Object.defineProperty(world.context.cluster, 'tls', { value: {} });
        const end = await connect(world).then((refused) => refused.read().closed(), codeOf);
        assert.equal(end, 'ECONNRESET');
        assert.equal(world.sum(pageMetrics.connectionsActive), 0);
        assert.equal(endpoint.peers.count, 0);
        assert.equal(world.lines.length, 1);
      });
    });
  });

  it('ends a tunnel that throws while carrying bytes', async () => {
    await withEndpoint(async (endpoint) => {
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        const healthy = await connect(world);
        const healthyPeer = await endpoint.peers.next();
        const broken = await connect(world);
        const brokenPeer = await endpoint.peers.next();
        await eventually(() => assert.equal(world.sum(pageMetrics.tunnelsActive), 2));
        const { values } = world.context.stats;
        Object.defineProperty(world.context.stats, 'values', {
          configurable: true,
          get: () => {
            Object.defineProperty(world.context.stats, 'values', { value: values });
            throw new Error('no values');
          },
        });
        broken.read().send('x');
        assert.equal(await broken.closed(), 'ECONNRESET');
        assert.equal(await brokenPeer.read().closed(), 'ECONNRESET');
        const closed = world.lines.find(({ msg }) => msg === 'tunnel closed');
        assert.equal((closed as { reason?: string } | undefined)?.reason, 'fault');
        healthy.read().send('still here');
        await healthyPeer.read().receivesText('still here');
        assert.equal(world.sum(pageMetrics.tunnelsActive), 1);
        for (const peer of [healthy, healthyPeer]) peer.destroy();
      });
    });
  });

  it("dials an endpoint's next address after a refusal, and starts with the good one afterwards", async () => {
    await withEndpoint(async (endpoint) => {
      const { address: refusing } = await freshAddress('IPv4');
      const good = addressOf(endpoint);
      const resolved = [refusing, good];
      await withWorld([good], { resolved }, async (world) => {
        for (let round = 0; round < 2; round++) {
          const client = await connect(world);
          const peer = await endpoint.peers.next();
          client.read().send('by name');
          await peer.read().receivesText('by name');
          client.destroy();
          peer.destroy();
        }
        assert.equal(world.sum(pageMetrics.endpointConnectFailures), 0);
        assert.equal(world.sum(pageMetrics.endpointConnects), 2);
        const seconds = world.sum(pageMetrics.endpointAnswerSeconds);
        assert.ok(seconds > 0 && seconds < 10, String(seconds));
        assert.equal(world.context.cluster.attempts(addressContext('')).next()!.addresses[0], good);
      });
    });
  });

  it('closes the client if no endpoint can be reached', async () => {
    const { address } = await freshAddress('IPv4');
    const endpoints: Address[] = [address, { kind: 'unix', path: '/nonexistent/socket' }];
    await withWorld(endpoints, { cluster: { retries: 5 } }, async (world) => {
      const client = await connect(world);
      await client.read().ended();
      client.end();
      await eventually(() => assert.equal(world.context.tunnels.size, 0));
      assert.equal(world.sum(pageMetrics.endpointConnectFailures), 2);
      assert.equal(world.sum(pageMetrics.connectionsRejected), 1);
      assert.equal(world.sum(pageMetrics.endpointConnectionsActive), 0);
      assert.equal(world.sum(pageMetrics.tunnels), 0);
    });
  });

  for (const [what, errno, tried, logged] of [
    ['no descriptor is left, and asks no other endpoint', constants.errno.EMFILE, 1, 1],
    ['no local port is left towards any endpoint, having asked all', constants.errno.EADDRNOTAVAIL, 2, 1],
  ] as const) {
    it(`closes the client if ${what}, without blaming an endpoint`, async () => {
      const endpoints: Address[] = (await Promise.all([freshAddress('IPv4'), freshAddress('IPv4')])).map(
        ({ address }) => address,
      );
      const told: unknown[] = [];
      const outlier = { ...clusterOutlier, consecutiveFailures: 1 };
      const clusterContext = { onEndpointFailed: (...report: unknown[]) => void told.push(report) };
      await withWorld(endpoints, { cluster: { retries: 5, outlier }, clusterContext }, async (world) => {
        const { sockets } = world.loop;
        const connect = (): number => -errno;
        Object.defineProperty(sockets, 'connect', { configurable: true, value: connect });
        for (let clients = 0; clients < 3; clients++) {
          const client = await TcpPeer.connect(formatAddress(world.address));
          await client.read().ended();
          client.end();
        }
        await eventually(() => assert.equal(world.context.tunnels.size, 0));
        assert.ok(Reflect.deleteProperty(sockets, 'connect'));
        assert.equal(world.sum(pageMetrics.endpointConnectFailures), 3 * tried);
        assert.equal(world.sum(pageMetrics.connectionsRejected, { reason: 'own_shortage' }), 3);
        assert.equal(world.sum(pageMetrics.clusterRetries), 0);
        assert.equal(world.sum(pageMetrics.endpointConnectionsActive), 0);
        assert.deepEqual(told, []);
        const lines = world.lines.filter(({ msg }) => msg.includes('out of resources'));
        assert.equal(lines.length, logged, 'what lasts is logged once');
      });
    });
  }

  it('counts a dial that cannot be watched as a shortage of the proxy', async () => {
    await withEndpoint(async (endpoint) => {
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        const { poller } = world.loop;
        const refusal = new SystemCallError('epoll_ctl', constants.errno.ENOMEM);
        const tryWatch = (_leg: unknown, fd: number): SystemCallError => {
          world.loop.sockets.close(fd);
          return refusal;
        };
        Object.defineProperty(poller, 'tryWatch', { configurable: true, value: tryWatch });
        const client = await connect(world);
        await client.read().ended();
        client.end();
        assert.ok(Reflect.deleteProperty(poller, 'tryWatch'));
        assert.equal(world.sum(pageMetrics.endpointConnectFailures, { reason: 'own_shortage' }), 1);
        const next = await connect(world);
        await endpoint.peers.next();
        next.destroy();
      });
    });
  });

  it('does not spin while an ended side cannot be read', async () => {
    await withEndpoint(async (endpoint) => {
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        const client = await connect(world);
        const peer = await endpoint.peers.next();
        // The client ends its direction and reads nothing; the endpoint sends all it can, and ends its own.
        client.end();
        await peer.read().ended();
        peer.flood(1024 ** 3);
        await peer.floodStops();
        peer.stopFlood();
        peer.end();
        const start = performance.now();
        const waited = world.loop.waitedMs;
        await new Promise((resolve) => setTimeout(resolve, 500));
        const share = (world.loop.waitedMs - waited) / (performance.now() - start);
        assert.ok(share > 0.5, `${share} of the time`);
        await client.read().ended();
        assert.equal(client.received, peer.flooded);
        assert.equal(await client.closed(), '');
        assert.equal(await peer.closed(), '');
        assert.equal(world.context.tunnels.size, 0);
      });
    });
  });

  it('stops accepting, and keeps its tunnels until they are aborted', async () => {
    await withEndpoint(async (endpoint) => {
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        const client = await connect(world);
        const peer = await endpoint.peers.next();
        world.listener.stop();
        await eventually(() => assert.rejects(connect(world), /ECONNREFUSED/));
        client.read().send('still here');
        await peer.read().receivesText('still here');
        for (const tunnel of world.context.tunnels) tunnel.abort();
        await Promise.all([client.ended(), peer.ended()]);
        assert.equal(world.context.tunnels.size, 0);
        assert.equal(world.sum(pageMetrics.tunnelsActive), 0);
      });
    });
  });

  it('leaves no descriptor open when its loop is closed', async () => {
    await withEndpoint(async (endpoint) => {
      const count = (): number => readdirSync('/proc/self/fd').length;
      const before = count();
      await withWorld([addressOf(endpoint)], {}, async (world) => {
        const clients = await Promise.all(Array.from({ length: 5 }, () => connect(world)));
        const peers = await Promise.all(clients.map(() => endpoint.peers.next()));
        assert.ok(count() >= before + 20);
        for (const peer of [...clients, ...peers]) peer.destroy();
      });
      await eventually(() => assert.equal(count(), before));
    });
  });

  it('rejects if its address cannot be bound', async () => {
    const { address } = await freshAddress('IPv4');
    await withWorld([address], {}, async ({ loop }) => {
      // Reserved for documentation (RFC 5737), so it is no address of this machine.
      const foreign = { address: { kind: 'tcp', host: '192.0.2.1', port: 0 } } as TunnelOwner;
      const listener = new RawListener(foreign, loop);
      const listening = listener.listen();
      await assert.rejects(listening, /EADDRNOTAVAIL/);
      assert.equal(listener.listens, false);
    });
  });

  it('listens again after it was stopped', async () => {
    const { address } = await freshAddress('IPv4');
    await withWorld([address], {}, async (world) => {
      world.listener.stop();
      await eventually(() => assert.rejects(connect(world), /ECONNREFUSED/));
      await world.listener.listen();
      (await connect(world)).destroy();
    });
  });
});
