import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Arrivals, eventually } from '../../support/deadline.ts';
import { dnsServerMissing } from '../../support/processes/dns-server.ts';
import { NameStage, addresses, spread, statusOf } from '../../support/rigs/name-stage.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const stage = new NameStage();
afterEach(() => stage.clear());

const missing = dnsServerMissing();

describe('endpoints that are names', { skip: missing ?? false, timeout: 300_000 }, () => {
  it('are all addresses of the name until its records expire', async () => {
    const { port, endpoints } = await stage.endpointsAt(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
    const dns = await stage.dnsServer({
      ttl: 1,
      hosts: [
        ['127.0.0.2', 'app.test'],
        ['127.0.0.3', 'app.test'],
      ],
    });
    // Were it not for the TTL nothing would be looked up again in the time that this test has.
    const resolve = { type: 'a', interval: '1h', servers: [dns.address] };
    const rig = await stage.proxy({ endpoints: [`app.test:${port}`], resolve });
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

  it('are looked up again at the interval if their records live longer', async () => {
    const { port } = await stage.endpointsAt(['127.0.0.2']);
    const dns = await stage.dnsServer({ ttl: 86_400, hosts: [['127.0.0.2', 'app.test']] });
    const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
    const rig = await stage.proxy({ endpoints: [`app.test:${port}`], resolve });
    dns.change([['127.0.0.3', 'app.test']]);
    await eventually(async () => assert.deepEqual(await addresses(rig), [`127.0.0.3:${port}`]));
  });

  it('stay unchanged while no server answers, and while the name does not exist', async () => {
    const { port, endpoints } = await stage.endpointsAt(['127.0.0.2', '127.0.0.3']);
    const dns = await stage.dnsServer({ ttl: 1, hosts: [['127.0.0.2', 'app.test']] });
    const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
    const rig = await stage.proxy({ endpoints: [`app.test:${port}`], resolve });
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

  it('are absent at the start, and appear when the name resolves', async () => {
    const { port, endpoints } = await stage.endpointsAt(['127.0.0.2']);
    const dns = await stage.dnsServer({ ttl: 1, hosts: [] });
    const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
    const rig = await stage.proxy({ endpoints: [`app.test:${port}`], resolve });
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
    stage.onClear(() => {
      for (const endpoint of endpoints) endpoint.close();
    });
    const service = { name: '_ws._tcp.app.test', target: 'host.test' };
    const services = [
      { ...service, port: one.port, priority: 1, weight: 3 },
      { ...service, port: two.port, priority: 1, weight: 1 },
      { ...service, port: spare.port, priority: 2, weight: 9 },
    ];
    const dns = await stage.dnsServer({ ttl: 1, hosts: [['127.0.0.1', 'host.test']], services });
    const rig = await stage.proxy({
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
    // The others are gone.
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

  it('are all hundred addresses of a service, each with separate series', async () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `127.0.1.${index + 1}`);
    const got = new Map<string, number>();
    const arrivals = new Arrivals<void>('a connection');
    // One socket for all of them.
    const endpoint = await TcpEndpoint.listen({ host: '0.0.0.0', port: 0 }, ({ socket }) => {
      got.set(socket.localAddress!, (got.get(socket.localAddress!) ?? 0) + 1);
      socket.on('error', () => undefined).resume();
      arrivals.push();
    });
    stage.onClear(() => endpoint.close());
    const port = Number(endpoint.address.split(':').at(-1));
    const dns = await stage.dnsServer({ ttl: 1, hosts: hosts.map((host) => [host, 'app.test'] as const) });
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
    stage.onClear(() => rig.sluice.stop());
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
});
