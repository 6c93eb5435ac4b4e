import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebRig } from '../../support/rigs/web-rig.ts';
import {
  RawConnection,
  switchingProtocols,
  upgradeRequest,
  valuesOf,
} from '../../support/sockets/raw-connection.ts';
import type { RawHead } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

/** The heads that the endpoint and the client received. */
interface Passage {
  readonly upstream: RawHead;
  readonly downstream: RawHead;
}

describe('header rules of a listener', () => {
  let endpoint: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await RawEndpoint.listen();
    const edits = { request: { remove: ['via'] }, response: { remove: ['via'] } };
    const routes = [
      { match: { host: '*.delimited.example' }, respond: { status: 420 } },
      { match: { headers: { 'x-tier': 'gold' } }, respond: { status: 418 } },
      { match: { headers: { x_level: 'gold' } }, respond: { status: 419 } },
      { match: { pathPrefix: '/edited' }, cluster: 'raw', headers: edits },
      {
        match: { pathPrefix: '/secret' },
        cluster: 'raw',
        headers: { request: { remove: ['X-Secret', 'x-tier-'] } },
      },
      { match: {}, cluster: 'raw' },
    ];
    rig = await WebRig.start({
      listeners: {
        web: { routes },
        via: { routes, via: true },
        passing: { routes, underscoreHeaders: 'pass' },
        refusing: { routes, underscoreHeaders: 'refuse' },
      },
      clusters: { raw: { endpoints: [endpoint.address] } },
    });
  });
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  const get = (path: string, ...lines: string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Host: app.example', ...lines, '', ''].join('\r\n');

  /** @param answer made of the request that the endpoint gets */
  async function pass(
    listener: string,
    request: string,
    answer: (head: RawHead) => string,
  ): Promise<Passage> {
    endpoint.clear();
    const client = await RawConnection.connect(rig.address(listener));
    try {
      client.write(request);
      const { connection, head: upstream } = await endpoint.request();
      connection.write(answer(upstream));
      return { upstream, downstream: await client.head() };
    } finally {
      client.destroy();
    }
  }

  const statusOf = async (listener: string, request: string): Promise<number> => {
    const client = await RawConnection.connect(rig.address(listener));
    client.write(request);
    const { startLine } = await client.head();
    client.destroy();
    return Number(startLine.split(' ')[1]);
  };

  describe('an underscore in the name of a header', () => {
    const LINES = [
      ...['X_Own: 1', 'X_Own-Two: 2', '_: 3', 'X_Secret: 4', 'X-Tier_: 5'],
      ...['X_Forwarded_For: 1.2.3.4', 'X-Forwarded_User: admin', 'X_Real_IP: 1.2.3.4', 'X_Request_Id: 5'],
      ...['Content_Length: 3', 'Transfer_Encoding: chunked', 'Keep_Alive: 6', 'Sec_WebSocket_Key: 7'],
    ];
    const names = ({ upstream }: Passage): string[] =>
      upstream.headers.map(([name]) => name.toLowerCase()).filter((name) => name.includes('_'));
    const ok = (): string => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    const both = async (listener: string): Promise<Passage[]> => [
      await pass(listener, get('/secret', ...LINES), ok),
      await pass(listener, upgradeRequest('app.example', LINES, '/secret'), switchingProtocols),
    ];
    it('drops the header, whether the request is plain or a WebSocket', async () => {
      for (const passage of await both('web')) {
        assert.deepEqual(names(passage), []);
        assert.match(passage.downstream.startLine, / (?:200|101) /);
      }
    });

    it('passes if the listener says so, but no twin of what the proxy writes, matches or changes', async () => {
      for (const passage of await both('passing'))
        assert.deepEqual(names(passage), ['x_own', 'x_own-two', '_']);
    });

    it('refuses the request if the listener says so, whether it is plain or a WebSocket', async () => {
      const before = endpoint.connections.count;
      assert.equal(await statusOf('refusing', get('/', 'X_A: b')), 400);
      assert.equal(await statusOf('refusing', upgradeRequest('app.example', ['X_A: b'])), 400);
      assert.equal(endpoint.connections.count, before);
      const fine = await pass('refusing', get('/', 'X-A: b_c'), ok);
      assert.deepEqual(valuesOf(fine.upstream, 'x-a'), ['b_c']);
    });

    it('is not seen by routes unless it passes', async () => {
      assert.equal(await statusOf('passing', get('/', 'X_Level: gold')), 419);
      assert.equal(await statusOf('web', get('/', 'X-Tier: gold', 'X_Tier: gold')), 418);
      const dropped = await pass('web', get('/', 'X_Tier: gold', 'X_Level: gold'), ok);
      assert.match(dropped.downstream.startLine, / 200 /);
    });
  });

  it('takes a host with any sub-delimiter, which routes match, and refuses what could end it', async () => {
    const withHost = (host: string): string => get('/').replace('app.example', host);
    for (const delimiter of "!$&'()*+,;=_-") {
      const request = withHost(`a${delimiter}b.delimited.example:80`);
      assert.equal(await statusOf('web', request), 420, delimiter);
    }
    for (const bad of ['@', '/', ' ', '?', '#', '\\', '%21', '%2f', '"', '<']) {
      assert.equal(await statusOf('web', withHost(`a${bad}b.delimited.example`)), 400, bad);
    }
  });

  describe('Via', () => {
    const reply =
      (status: string, version = '1.1') =>
      (): string =>
        `HTTP/${version} ${status}\r\nVia: 1.1 inner\r\nContent-Length: 0\r\n\r\n`;
    const upgrade = (path: string): string => upgradeRequest('app.example', ['Via: 1.0 outer'], path);
    const accept = (head: RawHead): string => switchingProtocols(head, ['Via: 1.1 inner']);
    const vias = ({ upstream, downstream }: Passage): string[][] => [
      valuesOf(upstream, 'via'),
      valuesOf(downstream, 'via'),
    ];
    const passages = async (listener: string, path: string): Promise<string[][][]> => [
      vias(await pass(listener, get(path, 'Via: 1.0 outer'), reply('200 OK'))),
      vias(await pass(listener, upgrade(path), accept)),
      vias(await pass(listener, upgrade(path), reply('403 Forbidden'))),
    ];

    it('is not added, and the entries of other proxies are forwarded', async () => {
      assert.deepEqual(await passages('web', '/'), Array(3).fill([['1.0 outer'], ['1.1 inner']]));
      const alone = await pass('web', get('/'), () => 'HTTP/1.1 204 No Content\r\n\r\n');
      assert.deepEqual(vias(alone), [[], []]);
    });

    it('is added to requests and responses if the listener says so', async () => {
      const added = [
        ['1.0 outer', '1.1 sluice'],
        ['1.1 inner', '1.1 sluice'],
      ];
      assert.deepEqual(await passages('via', '/'), Array(3).fill(added));
      const old = await pass('via', get('/'), reply('200 OK', '1.0'));
      assert.deepEqual(vias(old), [['1.1 sluice'], ['1.1 inner', '1.0 sluice']]);
    });

    it('is removed if the route says so, what others have added included', async () => {
      for (const listener of ['web', 'via']) {
        assert.deepEqual(await passages(listener, '/edited'), Array(3).fill([[], []]), listener);
      }
    });
  });
});
