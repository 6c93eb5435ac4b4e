import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { askAdmin } from '../../support/http/admin-client.ts';
import { silentEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { Arrivals, eventually } from '../../support/deadline.ts';
import { DnsServer, dnsServerMissing } from '../../support/processes/dns-server.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

interface EndpointStatus {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  readonly state: string;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function dnsServer(...records: Parameters<typeof DnsServer.start>): Promise<DnsServer> {
  const server = await DnsServer.start(...records);
  cleanups.push(() => server.stop());
  return server;
}

/** One endpoint at each of these addresses, all on the same port, as a name has it. */
async function endpointsAt(hosts: readonly string[]): Promise<{ port: number; endpoints: WsEndpoint[] }> {
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
    cleanups.push(() => {
      for (const endpoint of endpoints) endpoint.close();
    });
    return { port: endpoints[0]!.port, endpoints };
  });
}

async function start(
  cluster: Record<string, unknown> & { endpoints: readonly string[] },
  listeners: Record<string, object> = { web: {} },
): Promise<WebRig> {
  const rig = await WebRig.start({
    listeners,
    clusters: { app: cluster },
    workers: { l7: 1, l4: 1 },
    log: { access: false },
  });
  cleanups.push(() => rig.sluice.stop());
  return rig;
}

async function statusOf(rig: WebRig): Promise<EndpointStatus[]> {
  const { body } = await askAdmin(rig.sluice.admin, '/status');
  const { clusters } = JSON.parse(body) as { clusters: { endpoints: EndpointStatus[] }[] };
  return clusters[0]!.endpoints;
}

async function addresses(rig: WebRig): Promise<string[]> {
  return (await statusOf(rig)).map(({ address }) => address).sort();
}

/** How many of so many clients each endpoint gets. */
async function spread(rig: WebRig, endpoints: readonly WsEndpoint[], clients: number): Promise<number[]> {
  const before = endpoints.map(({ sessions }) => sessions.count);
  const all: WsPeer[] = [];
  for (let count = 0; count < clients; count++) all.push(await WsPeer.connect(`ws://${rig.address('web')}/`));
  for (const client of all) client.socket.terminate();
  return endpoints.map(({ sessions }, index) => sessions.count - before[index]!);
}

const missing = dnsServerMissing();

describe('endpoints that are names', { skip: missing ?? false, timeout: 300_000 }, () => {
  it('are all addresses that the name has, as long as its records hold', async () => {
    const { port, endpoints } = await endpointsAt(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
    const dns = await dnsServer({
      ttl: 1,
      hosts: [
        ['127.0.0.2', 'app.test'],
        ['127.0.0.3', 'app.test'],
      ],
    });
    // Were it not for the TTL nothing would be looked up again in the time that this test has.
    const resolve = { type: 'a', interval: '1h', servers: [dns.address] };
    const rig = await start({ endpoints: [`app.test:${port}`], resolve });
    const at = (...lasts: number[]): string[] => lasts.map((last) => `127.0.0.${last}:${port}`);
    assert.deepEqual(await addresses(rig), at(2, 3));
    assert.deepEqual(await spread(rig, endpoints, 6), [3, 3, 0]);
    const staying = await WsPeer.connect(`ws://${rig.address('web')}/`);
    dns.change([
      ['127.0.0.3', 'app.test'],
      ['127.0.0.4', 'app.test'],
    ]);
    await eventually(async () => assert.deepEqual(await addresses(rig), at(3, 4)));
    await eventually(async () => assert.deepEqual(await spread(rig, endpoints, 6), [0, 3, 3]));
    assert.equal(staying.socket.readyState, staying.socket.OPEN, 'what lives is left alone');
    staying.socket.terminate();
    assert.equal((await rig.scrape()).sum('sluice_endpoint_up', { endpoint: at(4)[0]! }), 1);
  });

  it('are looked up again at the interval where their records hold for longer', async () => {
    const { port } = await endpointsAt(['127.0.0.2']);
    const dns = await dnsServer({ ttl: 86_400, hosts: [['127.0.0.2', 'app.test']] });
    const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
    const rig = await start({ endpoints: [`app.test:${port}`], resolve });
    dns.change([['127.0.0.3', 'app.test']]);
    await eventually(async () => assert.deepEqual(await addresses(rig), [`127.0.0.3:${port}`]));
  });

  it('stay what they were while nobody answers, and while the name is gone', async () => {
    const { port, endpoints } = await endpointsAt(['127.0.0.2', '127.0.0.3']);
    const dns = await dnsServer({ ttl: 1, hosts: [['127.0.0.2', 'app.test']] });
    const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
    const rig = await start({ endpoints: [`app.test:${port}`], resolve });
    const failures = async (): Promise<number> =>
      (await rig.scrape()).sum('sluice_cluster_name_lookup_failures_total', { cluster: 'app' });
    await dns.pause();
    await eventually(async () => assert.ok((await failures()) >= 1));
    assert.deepEqual(await addresses(rig), [`127.0.0.2:${port}`]);
    assert.deepEqual(await spread(rig, endpoints, 4), [4, 0]);
    const before = await failures();
    await dns.resume({ hosts: [] });
    await eventually(async () => assert.ok((await failures()) > before));
    assert.deepEqual(await spread(rig, endpoints, 4), [4, 0]);
    dns.change([['127.0.0.3', 'app.test']]);
    await eventually(async () => assert.deepEqual(await addresses(rig), [`127.0.0.3:${port}`]));
    await eventually(async () => assert.deepEqual(await spread(rig, endpoints, 4), [0, 4]));
    await rig.sluice.waitForLog(({ msg }) => msg === 'name resolves again');
  });

  it('are not there at the start, and come as soon as the name resolves', async () => {
    const { port, endpoints } = await endpointsAt(['127.0.0.2']);
    const dns = await dnsServer({ ttl: 1, hosts: [] });
    const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
    const rig = await start({ endpoints: [`app.test:${port}`], resolve });
    const refused = await rig.ask();
    assert.match((await refused.head()).startLine, /^HTTP\/1\.1 503 /);
    refused.destroy();
    dns.change([['127.0.0.2', 'app.test']]);
    await eventually(async () => assert.deepEqual(await addresses(rig), [`127.0.0.2:${port}`]));
    await eventually(async () => assert.deepEqual(await spread(rig, endpoints, 3), [3]));
  });

  it('have the ports, weights and priorities of their SRV records', async () => {
    const [one, two, spare] = [
      await WsEndpoint.listen(),
      await WsEndpoint.listen(),
      await WsEndpoint.listen(),
    ];
    const endpoints = [one, two, spare];
    cleanups.push(() => {
      for (const endpoint of endpoints) endpoint.close();
    });
    const service = { name: '_ws._tcp.app.test', target: 'host.test' };
    const services = [
      { ...service, port: one.port, priority: 1, weight: 3 },
      { ...service, port: two.port, priority: 1, weight: 1 },
      { ...service, port: spare.port, priority: 2, weight: 9 },
    ];
    const dns = await dnsServer({ ttl: 1, hosts: [['127.0.0.1', 'host.test']], services });
    const rig = await start({
      endpoints: [service.name],
      resolve: { type: 'srv', interval: '1s', servers: [dns.address] },
      healthCheck: { type: 'tcp', interval: '100ms', timeout: '10s', rise: 1, fall: 1 },
      panicThreshold: 0,
    });
    const told = (await statusOf(rig)).map(({ address, weight, priority }) => [address, weight, priority]);
    assert.deepEqual(
      new Set(told.map(String)),
      new Set([`${one.address},0.75,1`, `${two.address},0.25,1`, `${spare.address},1,2`]),
    );
    const [first, second, none] = await spread(rig, endpoints, 40);
    assert.ok(Math.abs(first! - 30) <= 1 && Math.abs(second! - 10) <= 1, `${first} and ${second} of 40`);
    assert.equal(none, 0);
    // Of the others none is left.
    one.close();
    two.close();
    await eventually(async () => assert.deepEqual(await spread(rig, endpoints, 4), [0, 0, 4]));
    await dns.pause();
    const again = { ...service, port: spare.port, priority: 7, weight: 5 };
    await dns.resume({ services: [again] });
    await eventually(async () =>
      assert.deepEqual(
        (await statusOf(rig)).map(({ address, weight, priority }) => [address, weight, priority]),
        [[spare.address, 1, 7]],
      ),
    );
  });

  it('are all addresses of a service with a hundred of them, each with a series of its own', async () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `127.0.1.${index + 1}`);
    const got = new Map<string, number>();
    const arrivals = new Arrivals<void>('a connection');
    // One socket for all of them.
    const endpoint = await TcpEndpoint.listen({ host: '0.0.0.0', port: 0 }, ({ socket }) => {
      got.set(socket.localAddress!, (got.get(socket.localAddress!) ?? 0) + 1);
      socket.on('error', () => undefined).resume();
      arrivals.push();
    });
    cleanups.push(() => endpoint.close());
    const port = Number(endpoint.address.split(':').at(-1));
    const dns = await dnsServer({ ttl: 1, hosts: hosts.map((host) => [host, 'app.test'] as const) });
    const rig = await WebRig.start({
      listeners: { raw: { mode: 'l4', cluster: 'app' }, canary: { mode: 'l4', cluster: 'canary' } },
      clusters: {
        app: {
          endpoints: [`app.test:${port}`],
          balancer: 'least_connections',
          resolve: { type: 'a', interval: '1s', servers: [dns.address] },
        },
        canary: {
          endpoints: [
            { address: `app.test:${port}`, weight: 19 },
            { address: `127.0.2.1:${port}`, weight: 1 },
          ],
          resolve: { type: 'a', interval: '1s', servers: [dns.address] },
        },
      },
      workers: { l4: 2 },
      log: { access: false },
    });
    cleanups.push(() => rig.sluice.stop());
    assert.equal((await statusOf(rig)).length, 100);
    const tunnels: TcpPeer[] = [];
    // One at a time: workers that choose at the same instant may choose the same address.
    for (let count = 0; count < 200; count++) {
      tunnels.push(await TcpPeer.connect(rig.address('raw')));
      await arrivals.next();
    }
    assert.deepEqual(got, new Map(hosts.map((host) => [host, 2])));
    const metrics = await rig.scrape();
    for (const host of hosts) {
      const labels = { cluster: 'app', endpoint: `${host}:${port}` };
      assert.equal(metrics.sum('sluice_endpoint_connections_active', labels), 2);
    }
    // The name's weight is 19, not 19 for each of its addresses.
    for (let count = 0; count < 100; count++) tunnels.push(await TcpPeer.connect(rig.address('canary')));
    await eventually(() =>
      assert.equal(
        [...got.values()].reduce((sum, each) => sum + each),
        300,
      ),
    );
    const canary = got.get('127.0.2.1') ?? 0;
    assert.ok(canary >= 3 && canary <= 7, `${canary} of 100`);
    // Half of them go; connections to those stay, and are counted under their addresses.
    const [gone = ''] = hosts;
    dns.change(hosts.slice(50).map((host) => [host, 'app.test'] as const));
    await eventually(async () => assert.equal((await statusOf(rig)).length, 50));
    const labels = { cluster: 'app', endpoint: `${gone}:${port}` };
    const active = async (): Promise<number> =>
      (await rig.scrape()).sum('sluice_endpoint_connections_active', labels);
    assert.equal(await active(), 2);
    for (const tunnel of tunnels) tunnel.reset();
    await eventually(() => assert.rejects(active(), /no sample/));
    const lines = rig.sluice.logs.filter(({ msg }) => msg.includes('addresses'));
    assert.deepEqual(lines, []);
    const changes = rig.sluice.logs.filter(({ msg }) => msg === 'endpoints found');
    assert.ok(changes.every((line) => JSON.stringify(line).length < 1000));
  });

  describe('with addresses of both families', () => {
    const LISTENERS = {
      web: {},
      raw: { mode: 'l4', cluster: 'app', engine: 'raw' },
      net: { mode: 'l4', cluster: 'app', engine: 'net' },
    };
    const hosts = [
      ['::1', 'app.test'],
      ['127.0.0.2', 'app.test'],
    ] as const;

    /** A greeting endpoint at 127.0.0.2, and what is at ::1 on the same port. */
    async function mixed<Other>(
      listen: (port: number) => Promise<Other>,
    ): Promise<{ port: number; other: Other }> {
      return eventually(async () => {
        const greeter = await TcpEndpoint.listen({ host: '127.0.0.2', port: 0 }, (peer) => {
          peer.read().send('HTTP/1.1 418 Here\r\nContent-Length: 0\r\n\r\n');
          peer.socket.once('end', () => peer.end());
        });
        const port = Number(greeter.address.split(':').at(-1));
        try {
          const other = await listen(port);
          cleanups.push(() => greeter.close());
          return { port, other };
        } catch (error) {
          greeter.close();
          throw error;
        }
      });
    }

    async function assertAllReach(rig: WebRig): Promise<void> {
      for (let count = 0; count < 3; count++) {
        const client = await rig.ask();
        assert.match((await client.head()).startLine, /^HTTP\/1\.1 418 /);
        client.destroy();
        for (const listener of ['raw', 'net']) {
          const tunnel = await TcpPeer.connect(rig.address(listener));
          await tunnel.read().receives(40);
          tunnel.destroy();
        }
      }
    }

    it('are reached by the other family where the first refuses', async () => {
      const { port } = await mixed(() => Promise.resolve());
      const dns = await dnsServer({ ttl: 1, hosts });
      const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
      const rig = await start({ endpoints: [`app.test:${port}`], resolve, retries: 0 }, LISTENERS);
      assert.deepEqual(await addresses(rig), [`[::1]:${port}`], 'one endpoint with two ways to it');
      await assertAllReach(rig);
      assert.equal((await rig.scrape()).sum('sluice_endpoint_ejections_total'), 0);
    });

    it('have a line with the address that failed last if none can be reached', async () => {
      const [port] = await freePorts(1);
      const dns = await dnsServer({ ttl: 1, hosts });
      const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
      const rig = await start({ endpoints: [`app.test:${port}`], resolve, retries: 0 }, LISTENERS);
      for (const listener of ['raw', 'net']) {
        const lines = rig.sluice.logs.length;
        (await TcpPeer.connect(rig.address(listener))).read();
        const { detail } = await eventually(() => {
          const line = rig.sluice.logs.slice(lines).find(({ msg }) => msg === 'endpoint failed');
          assert.ok(line);
          return line;
        });
        assert.match(String(detail), /ECONNREFUSED.*127\.0\.0\.2/, listener);
      }
    });

    it('are reached by the other family where the first is silent, long before the dial times out', async () => {
      const { port, other } = await mixed((port) => silentEndpoint('::1', port));
      cleanups.push(() => other.close());
      const dns = await dnsServer({ ttl: 1, hosts });
      const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
      const rig = await start(
        { endpoints: [`app.test:${port}`], resolve, retries: 0, connectTimeout: '10m' },
        LISTENERS,
      );
      await assertAllReach(rig);
      assert.equal((await rig.scrape()).sum('sluice_endpoint_connect_failures_total'), 0);
    });
  });
});
