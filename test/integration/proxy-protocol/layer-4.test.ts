/** PROXY headers in front of tunnels: read exactly, believed from trusted proxies, named in the lines. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { eventually } from '../../support/deadline.ts';
import { scrape, settled } from '../../support/http/metrics.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { HAProxy, haproxyVersion } from '../../support/processes/haproxy.ts';
import { Nginx, hasNginxStream } from '../../support/processes/nginx.ts';
import { startSluice, type LogLine, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { clientHello, serverName } from '../../support/tls/hello-building.ts';

const V1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 1234 443\r\n';
const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const GAUGES = ['sluice_tunnels_active', 'sluice_connections_active', 'sluice_endpoint_connections_active'];

/** A header of version 2 for TCP over IPv4, with these TLVs. */
function v2(...tlvs: readonly (readonly [type: number, value: Buffer])[]): Buffer {
  const addresses = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x04, 0xd2, 0x01, 0xbb]);
  const parts = tlvs.map(([type, value]) =>
    Buffer.concat([Buffer.of(type, value.length >> 8, value.length & 0xff), value]),
  );
  const body = Buffer.concat([addresses, ...parts]);
  return Buffer.concat([SIGNATURE, Buffer.of(0x21, 0x11, body.length >> 8, body.length & 0xff), body]);
}

for (const engine of unsupportedReason() === null ? ['raw', 'net'] : ['net']) {
  describe(`PROXY headers in front of tunnels of ${engine}`, { timeout: 300_000 }, () => {
    let sluice: SluiceProcess;
    let plain: TcpEndpoint;
    let named: TcpEndpoint;
    let web: Server;
    const clients: TcpPeer[] = [];

    before(async () => {
      plain = await TcpEndpoint.listen();
      named = await TcpEndpoint.listen();
      web = createServer((_, response) => response.end('hello\n'));
      await once(web.listen(0, '127.0.0.1'), 'listening');
      const trustedProxies = ['127.0.0.0/8'];
      const listener = (name: string, settings: object): object => {
        return { ...{ name, mode: 'l4', address: '127.0.0.1:0', engine, trustedProxies }, ...settings };
      };
      sluice = await startSluice({
        config: {
          workers: { l7: 1, l4: 1 },
          admin: { address: '127.0.0.1:0' },
          shutdown: { grace: '0s' },
          listeners: [
            listener('required', { proxyProtocol: 'required', cluster: 'plain' }),
            listener('optional', { proxyProtocol: 'optional', cluster: 'plain' }),
            listener('named', {
              ...{ proxyProtocol: 'required', cluster: 'plain' },
              passthrough: [{ serverName: 'db.example.com', cluster: 'named' }],
            }),
            listener('strangers', {
              ...{ proxyProtocol: 'required', cluster: 'plain' },
              trustedProxies: ['192.0.2.0/24'],
            }),
            listener('hashed', { proxyProtocol: 'required', cluster: 'hashed' }),
            listener('web', { proxyProtocol: 'required', cluster: 'web' }),
          ],
          clusters: [
            { name: 'plain', endpoints: [{ address: plain.address }] },
            { name: 'named', endpoints: [{ address: named.address }] },
            {
              ...{ name: 'hashed', balancer: 'consistent_hash', loadFactor: 0 },
              endpoints: [{ address: plain.address }, { address: named.address }],
            },
            { name: 'web', endpoints: [{ address: `127.0.0.1:${(web.address() as AddressInfo).port}` }] },
          ],
        },
      });
    });
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      for (const endpoint of [plain, named]) endpoint.clear();
      await settled(sluice, GAUGES);
    });
    after(async () => {
      for (const endpoint of [plain, named]) endpoint.close();
      web.close();
      await sluice.stop();
    });

    const connect = async (name: string, address = sluice.address(name)): Promise<TcpPeer> => {
      const client = await TcpPeer.connect(address);
      clients.push(client);
      return client;
    };
    const rejected = async (reason: string): Promise<number> =>
      (await scrape(sluice)).sum('sluice_connections_rejected_total', { reason });
    /** The line of the tunnel that ends next. */
    const closedLine = async (end: () => void): Promise<LogLine> => {
      const count = sluice.logs.length;
      end();
      return eventually(() => {
        const line = sluice.logs.slice(count).find(({ msg }) => msg === 'tunnel closed');
        assert.ok(line);
        return line;
      });
    };

    /** Returns the endpoint's side of a connection, and drops others: the start of HAProxy makes one. */
    const peerThatGets = async (text: string): Promise<TcpPeer> => {
      for (;;) {
        const peer = (await plain.peers.next()).read();
        const outcomes = [peer.receivesText(text), peer.ended().then(() => Promise.reject(new Error('FIN')))];
        const isFound = await Promise.race(outcomes).then(
          () => true,
          () => false,
        );
        void Promise.allSettled(outcomes);
        if (isFound) return peer;
        peer.destroy();
      }
    };

    for (const [version, header] of [
      ['1', Buffer.from(V1)],
      ['2', v2()],
    ] as const) {
      it(`strips a header of version ${version}, wherever it is cut`, async () => {
        for (const cut of [1, 5, 12, 16, header.length - 1, header.length]) {
          const client = await connect('required');
          client.send(header.subarray(0, cut));
          await new Promise((resolve) => setTimeout(resolve, 5));
          client.send(Buffer.concat([header.subarray(cut), Buffer.from('question')]));
          const peer = await plain.peers.next();
          await peer.read().receivesText('question');
          peer.send('answer');
          await client.read().receivesText('answer');
          client.destroy();
          peer.destroy();
        }
      });
    }

    it('lets the endpoint answer a client that sent FIN after its header', async () => {
      const client = await connect('required');
      client.send(V1);
      client.end();
      const peer = await plain.peers.next();
      await peer.read().ended();
      peer.send('answer');
      peer.end();
      await client.read().receivesText('answer');
      assert.equal(await client.closed(), '');
    });

    it('names the client of the header, the proxy, and further facts of the header', async () => {
      const client = await connect('required');
      const endpointId = Buffer.concat([Buffer.of(1), Buffer.from('vpce-0123456789abcdef0')]);
      client.send(v2([0x02, Buffer.from('front.example.com')], [0xea, endpointId]));
      const peer = await plain.peers.next();
      const line = await closedLine(() => [client, peer].forEach((end) => end.destroy()));
      assert.deepEqual(
        [line.client, line.peer, line.serverName, line.vpcEndpointId],
        ['192.0.2.7', '127.0.0.1', 'front.example.com', 'vpce-0123456789abcdef0'],
      );
    });

    it('chooses by the server name after the header', async () => {
      const hello = clientHello([serverName('db.example.com')]);
      const client = await connect('named');
      client.send(Buffer.concat([Buffer.from(V1), hello]));
      const peer = await named.peers.next();
      await peer.read().receivesText(hello.toString('latin1'));
      const line = await closedLine(() => [client, peer].forEach((end) => end.destroy()));
      assert.deepEqual(
        [line.cluster, line.client, line.serverName],
        ['named', '192.0.2.7', 'db.example.com'],
      );
      const other = await connect('named');
      other.send(`${V1}plain text`);
      await (await plain.peers.next()).read().receivesText('plain text');
    });

    it('balances by the address in the header', async () => {
      const seen = new Set<string>();
      for (let source = 1; source <= 16; source++) {
        const endpoints = [];
        for (let turn = 0; turn < 2; turn++) {
          const client = await connect('hashed');
          client.send(`PROXY TCP4 192.0.2.${source} 198.51.100.1 1234 443\r\n`);
          const name = await eventually(() => {
            assert.equal(plain.peers.waiting + named.peers.waiting, 1);
            return plain.peers.waiting === 1 ? 'plain' : 'named';
          });
          (await (name === 'plain' ? plain : named).peers.next()).destroy();
          client.destroy();
          endpoints.push(name);
        }
        assert.equal(endpoints[0], endpoints[1]);
        seen.add(endpoints[0]!);
      }
      assert.equal(seen.size, 2);
    });

    it('serves a client without a header if it is optional', async () => {
      const client = await connect('optional');
      client.send('PROXIES are no PROXY');
      const peer = await plain.peers.next();
      await peer.read().receivesText('PROXIES are no PROXY');
    });

    it('closes others, and counts them by reason', async () => {
      for (const [listener, bytes, reason] of [
        ['strangers', '', 'proxy_untrusted'],
        ['required', 'GET / HTTP/1.1\r\n', 'proxy_malformed'],
        ['optional', 'PROXY TCP4 nonsense\r\n', 'proxy_malformed'],
      ] as const) {
        const before = await rejected(reason);
        const client = await connect(listener).catch(() => null);
        client?.read().send(bytes);
        await eventually(async () => assert.equal(await rejected(reason), before + 1));
        client?.end();
        await client?.closed();
      }
      const before = await rejected('proxy_ended');
      const client = await connect('required');
      client.send(V1.slice(0, 20));
      client.end();
      await eventually(async () => assert.equal(await rejected('proxy_ended'), before + 1));
      assert.equal(plain.peers.waiting, 0);
    });

    it('is sent by curl', async () => {
      const answer = await askByCurl(sluice.address('web'), '/', ['--haproxy-protocol']);
      assert.deepEqual([answer.status, answer.body], [200, 'hello\n']);
    });

    /** Sends by a proxy in front. The line of the tunnel must name the client as the proxy saw it. */
    const tellsOfItsClient = async (front: HAProxy | Nginx): Promise<void> => {
      try {
        const client = await connect('', front.address);
        client.send('question');
        const peer = await peerThatGets('question');
        const line = await closedLine(() => [client, peer].forEach((end) => end.destroy()));
        assert.deepEqual([line.client, line.peer], ['127.0.0.1', '127.0.0.1']);
      } finally {
        await front.stop();
      }
    };

    it('is sent by HAProxy', { skip: haproxyVersion() === null }, async () => {
      for (const option of ['send-proxy', 'send-proxy-v2']) {
        await tellsOfItsClient(
          await HAProxy.start(
            (listen) => `
listen front
  mode tcp
  bind ${listen}
  server sluice ${sluice.address('required')} ${option}`,
          ),
        );
      }
    });

    it('is sent by nginx', { skip: !hasNginxStream() }, async () => {
      const target = sluice.address('required');
      await tellsOfItsClient(
        await Nginx.startStream(
          (listen) => `server { listen ${listen}; proxy_pass ${target}; proxy_protocol on; }`,
        ),
      );
    });
  });
}
