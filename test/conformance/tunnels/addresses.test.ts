/** Address rules in front of tunnels: whom they close, when, and what a reload changes, on every engine and both layers. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, afterEach, before, describe, it } from 'node:test';
import { codeOf } from '../../../src/core/errors.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { eventually } from '../../support/deadline.ts';
import { scrape, settled } from '../../support/http/metrics.ts';
import { HAProxy, haproxyVersion } from '../../support/processes/haproxy.ts';
import { Nginx, hasNginxStream } from '../../support/processes/nginx.ts';
import type { PeerProcess } from '../../support/processes/peer-process.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { endOf, helloFor, type TunnelDoor } from './server-names-rig.ts';

const NAME = 'db.example.com';
const HELLO = helloFor(NAME);
const GAUGES = ['sluice_tunnels_active', 'sluice_connections_active', 'sluice_endpoint_connections_active'];
const DENIED = ['203.0.113.0/24', '2001:db8:bad::/48'];
const hasIpv6 = networkInterfaces().lo?.some(({ address }) => address === '::1') === true;

const doors: readonly TunnelDoor[] = (['l4', 'l7'] as const).flatMap((layer) =>
  (unsupportedReason() === null ? (['raw', 'net'] as const) : (['net'] as const)).map((engine) => ({
    layer,
    engine,
  })),
);

/** The settings of each listener. */
function listeners(moving: object): Readonly<Record<string, object>> {
  const behindProxy = { proxyProtocol: 'required', trustedProxies: ['127.0.0.0/8'] };
  return {
    denied: { access: { deny: ['127.0.0.0/8'] } },
    allowed: { access: { deny: ['192.0.2.0/24'], allow: ['127.0.0.1'] } },
    told: { ...behindProxy, access: { deny: DENIED } },
    'told-allowed': { ...behindProxy, access: { allow: ['203.0.113.0/24'] } },
    moving: { access: moving },
    ...(hasIpv6 && { both: { address: '[::]:0', access: { allow: ['127.0.0.0/8', '2001:db8::/32'] } } }),
  };
}

for (const door of doors) {
  const { layer, engine } = door;

  describe(`address rules of tunnels of ${layer} on ${engine}`, { timeout: 300_000 }, () => {
    let endpoint: TcpEndpoint;
    let sluice: SluiceProcess;
    const clients: TcpPeer[] = [];

    const configOf = (moving: object): object => {
      const passthrough = [{ serverName: NAME, cluster: 'db' }];
      const plain = { cluster: 'db', passthrough: [] };
      return {
        workers: { l7: 1, l4: 1 },
        log: { level: 'debug' },
        admin: { address: '127.0.0.1:0' },
        shutdown: { grace: '0s' },
        listeners: Object.entries(listeners(moving)).map(([name, settings]) => ({
          name,
          mode: layer,
          engine,
          address: '127.0.0.1:0',
          ...(layer === 'l7' ? { passthrough, routes: [{ match: {}, respond: { status: 200 } }] } : plain),
          ...settings,
        })),
        clusters: [{ name: 'db', endpoints: [{ address: endpoint.address }] }],
      };
    };

    before(async () => {
      endpoint = await TcpEndpoint.listen();
      sluice = await startSluice({ config: configOf({}) });
    });
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      endpoint.clear();
      await settled(sluice, GAUGES);
    });
    after(async () => {
      endpoint.close();
      await sluice.stop();
    });

    const connect = async (address: string): Promise<TcpPeer> => {
      const client = await TcpPeer.connect(address);
      clients.push(client);
      return client;
    };
    const refusals = async (listener: string): Promise<number> =>
      (await scrape(sluice)).sum('sluice_connections_rejected_total', { listener, reason: 'access' });
    /** Connects and sends some bytes; waits for the connection at the endpoint. */
    const passes = async (
      listener: string,
      before: string,
      address = sluice.address(listener),
    ): Promise<TcpPeer> => {
      const client = await connect(address);
      client.read().send(Buffer.concat([Buffer.from(before), HELLO]));
      const peer = await endpoint.peers.next();
      await peer.read().receivesText(HELLO.toString('latin1'));
      return client;
    };
    /** Connects and sends some bytes; waits until the connection is closed and counted. */
    const isRefused = async (
      listener: string,
      before: string | Buffer,
      address = sluice.address(listener),
    ) => {
      const count = await refusals(listener);
      // A reset may come before this side has seen its connection.
      const client = await connect(address).catch((error: unknown) => codeOf(error));
      if (client instanceof TcpPeer) {
        client.read().send(before);
        await endOf(client);
      }
      await eventually(async () => assert.equal(await refusals(listener), count + 1));
      assert.equal(endpoint.peers.waiting, 0);
    };

    it('close a client that they deny', async () => {
      // At layer 7 the server name says first that it is a tunnel.
      await isRefused('denied', layer === 'l7' ? HELLO : '');
    });

    it('admit an allowed client', async () => {
      await passes('allowed', '');
    });

    it('judge the client of a PROXY header, of either family', async () => {
      for (const [family, address] of [
        ['TCP4', '203.0.113.9'],
        ['TCP6', '2001:db8:bad::9'],
        ['TCP6', '::ffff:203.0.113.9'],
      ] as const) {
        const header = headerOf(family, address);
        await isRefused('told', layer === 'l7' ? Buffer.concat([Buffer.from(header), HELLO]) : header);
        const line = await sluice.waitForLog(
          ({ msg, address: told }) =>
            msg === 'connection rejected' && told === address.replace('::ffff:', ''),
        );
        assert.deepEqual([line.client, line.reason, line.listener], ['127.0.0.1', 'access', 'told']);
      }
      for (const [family, address] of [
        ['TCP4', '203.0.112.9'],
        ['TCP6', '2001:db8:bae::9'],
      ] as const) {
        await passes('told', headerOf(family, address));
      }
    });

    it('allow the client of a PROXY header, and not the proxy itself', async () => {
      await passes('told-allowed', headerOf('TCP4', '203.0.113.9'));
      const unknown = 'PROXY UNKNOWN\r\n';
      await isRefused(
        'told-allowed',
        layer === 'l7' ? Buffer.concat([Buffer.from(unknown), HELLO]) : unknown,
      );
    });

    it('recognize IPv4 clients on a dual-stack socket', { skip: !hasIpv6 }, async () => {
      const port = sluice.address('both').split(':').at(-1)!;
      await passes('both', '', `127.0.0.1:${port}`);
      await isRefused('both', layer === 'l7' ? HELLO : '', `[::1]:${port}`);
    });

    it('change by a reload for new connections only', async () => {
      const reload = async (moving: object): Promise<void> => {
        const done = ({ msg }: { msg: string }): boolean => msg === 'configuration reloaded';
        const count = sluice.logs.filter(done).length;
        sluice.writeConfig(configOf(moving));
        sluice.kill('SIGHUP');
        await eventually(() => assert.equal(sluice.logs.filter(done).length, count + 1));
      };
      const client = await connect(sluice.address('moving'));
      client.read().send(HELLO);
      const peer = await endpoint.peers.next();
      await reload({ deny: ['127.0.0.0/8'] });
      await isRefused('moving', layer === 'l7' ? HELLO : '');
      peer.send('still here');
      await client.receivesText('still here');
      await reload({});
      await passes('moving', '');
    });

    /** Waits for the hello at the endpoint. The start of a proxy in front makes a connection that sends nothing. */
    const helloArrives = async (): Promise<void> => {
      const text = HELLO.toString('latin1');
      for (let isThere = false; !isThere;) {
        const peer = (await endpoint.peers.next()).read();
        isThere = await Promise.race([
          peer.receivesText(text).then(
            () => true,
            () => false,
          ),
          peer.ended().then(
            () => false,
            () => false,
          ),
        ]);
      }
    };

    const isJudgedBehind = async (start: (target: string) => Promise<PeerProcess>): Promise<void> => {
      for (const [listener, isAllowed] of [
        ['told', true],
        ['told-allowed', false],
      ] as const) {
        const front = await start(sluice.address(listener));
        try {
          const count = await refusals(listener);
          const client = await connect(front.address);
          client.read().send(HELLO);
          if (isAllowed) await helloArrives();
          else await eventually(async () => assert.ok((await refusals(listener)) > count));
          client.destroy();
        } finally {
          await front.stop();
        }
      }
    };

    it('judge the clients of HAProxy', { skip: haproxyVersion() === null }, () =>
      isJudgedBehind((target) =>
        HAProxy.start(
          (listen) => `
listen front
  mode tcp
  bind ${listen}
  server sluice ${target} send-proxy-v2`,
        ),
      ),
    );

    it('judge the clients of nginx', { skip: !hasNginxStream() }, () =>
      isJudgedBehind((target) =>
        Nginx.startStream(
          (listen) => `server { listen ${listen}; proxy_pass ${target}; proxy_protocol on; }`,
        ),
      ),
    );
  });
}

function headerOf(family: 'TCP4' | 'TCP6', address: string): string {
  return `PROXY ${family} ${address} ${family === 'TCP4' ? '198.51.100.1' : '2001:db8::1'} 1234 443\r\n`;
}
