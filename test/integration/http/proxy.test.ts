import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { HttpEndpoint, ask } from '../../support/http/http-endpoint.ts';
import { get, rawClient } from '../../support/http/raw-client.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { headerOf, valuesOf } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const LARGE = Buffer.from(Uint8Array.from({ length: 8_000_000 }, (_, index) => (index * index) % 251));
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('plain HTTP through a proxy', () => {
  let raw: RawEndpoint;
  /** Answers with the request that it received. */
  let mirror: HttpEndpoint;
  let named: HttpEndpoint[];
  let sockets: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    raw = await RawEndpoint.listen();
    sockets = await WsEndpoint.listen();
    mirror = await HttpEndpoint.listen((request, response) => {
      void buffer(request).then((body) => {
        response.setHeader('X-Kept', 'kept');
        response.setHeader('X-Removed', 'removed');
        const { method, url, rawHeaders } = request;
        const sha = createHash('sha256').update(body).digest('hex');
        response.end(JSON.stringify({ method, url, rawHeaders, size: body.length, sha }));
      });
    });
    named = await Promise.all(
      ['a', 'b'].map((name) => HttpEndpoint.listen((_, response) => response.end(name))),
    );
    const plain = { routes: [{ match: {}, cluster: 'mirror' }] };
    rig = await WebRig.start({
      listeners: {
        web: {
          routes: [
            { name: 'named', match: { path: '/named' }, cluster: 'named' },
            { match: { pathPrefix: '/mirror' }, cluster: 'mirror' },
            {
              match: { pathPrefix: '/stripped' },
              cluster: 'mirror',
              rewrite: { stripPrefix: '/stripped', host: 'inner.example' },
              headers: {
                request: { set: { 'X-Set': 'new' }, add: { 'X-Added': 'more' }, remove: ['X-Secret'] },
                response: {
                  set: { 'X-Frame-Options': 'DENY' },
                  add: { 'X-Kept': 'too' },
                  remove: ['X-Removed'],
                },
              },
            },
            { match: { pathRegex: '^/v1/(.*)/(.*)$' }, cluster: 'mirror', rewrite: { path: '/$2/$1' } },
            { match: { path: '/only' }, cluster: 'sockets', upgrade: 'only' },
            { match: { path: '/never' }, cluster: 'mirror', upgrade: 'never' },
            { match: { path: '/sockets' }, cluster: 'sockets' },
            { match: {}, cluster: 'raw' },
          ],
        },
        x: { ...plain, forwarded: 'x' },
        rfc7239: { ...plain, forwarded: 'rfc7239' },
        both: { ...plain, forwarded: 'both' },
        off: { ...plain, forwarded: 'off' },
        trusting: { ...plain, forwarded: 'both', trustedProxies: ['127.0.0.0/8'] },
      },
      clusters: {
        raw: { endpoints: [raw.address] },
        mirror: { endpoints: [mirror.address] },
        named: { endpoints: named.map(({ address }) => address), balancer: 'round_robin' },
        sockets: { endpoints: [sockets.address] },
      },
    });
  });
  after(async () => {
    raw.close();
    mirror.close();
    sockets.close();
    for (const endpoint of named) endpoint.close();
    await rig.stop();
  });

  const url = (path: string, listener = 'web'): string => `http://${rig.address(listener)}${path}`;

  const { meet } = rawClient(
    () => raw,
    () => rig.address('web'),
  );

  it('does not mistake interim responses for the final response', async () => {
    const { client, endpoint } = await meet(get());
    endpoint.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
    endpoint.write(OK);
    let head = await client.head();
    // Some engines pass it on.
    if (head.startLine.includes(' 103 ')) head = await client.head();
    assert.match(head.startLine, / 200 /);
    assert.equal(headerOf(head, 'link'), undefined);
    client.destroy();
  });

  it('passes the headers of a response that are for the client, as they are', async () => {
    const { client, endpoint } = await meet(get());
    const lines = [
      'Server: thing/1.0',
      'Date: Mon, 06 May 2024 07:08:09 GMT',
      'Set-Cookie: a=1; Path=/',
      'Set-Cookie: b=2',
      'Via: 1.0 inner',
      'X-Hop: 1',
      'Connection: keep-alive, X-Hop',
      'Keep-Alive: timeout=20',
      'Proxy-Connection: keep-alive',
      'Content-Length: 0',
    ];
    endpoint.write(`HTTP/1.1 404 Nothing\r\n${lines.join('\r\n')}\r\n\r\n`);
    const head = await client.head();
    assert.equal(head.startLine, 'HTTP/1.1 404 Not Found');
    assert.equal(headerOf(head, 'server'), 'thing/1.0');
    assert.deepEqual(valuesOf(head, 'set-cookie'), ['a=1; Path=/', 'b=2']);
    assert.deepEqual(valuesOf(head, 'via'), ['1.0 inner']);
    assert.equal(valuesOf(head, 'date').length, 1);
    for (const name of ['x-hop', 'connection', 'keep-alive', 'proxy-connection', 'uwebsockets'])
      assert.deepEqual(valuesOf(head, name), [], name);
    client.destroy();
  });

  describe('informs the endpoint about the client', () => {
    const told = async (
      listener: string,
      headers: Record<string, string> = {},
    ): Promise<Map<string, string>> => {
      const { body } = await ask(url('/', listener), { headers: { Host: 'app.example', ...headers } });
      const { rawHeaders } = JSON.parse(body.toString()) as { rawHeaders: string[] };
      const found = new Map<string, string>();
      for (let index = 0; index < rawHeaders.length; index += 2) {
        const name = rawHeaders[index]!.toLowerCase();
        const before = found.get(name);
        found.set(
          name,
          before === undefined ? rawHeaders[index + 1]! : `${before}, ${rawHeaders[index + 1]!}`,
        );
      }
      return found;
    };
    const lie = {
      'X-Forwarded-For': '10.0.0.1',
      'X-Forwarded-Proto': 'https',
      Forwarded: 'for=10.0.0.1',
      'X-Request-Id': 'mine',
    };
    const element = 'for=127.0.0.1;host=app.example;proto=http';

    it('by X-Forwarded-*, and believes no stranger', async () => {
      const headers = await told('x', lie);
      assert.equal(headers.get('x-forwarded-for'), '127.0.0.1');
      assert.equal(headers.get('x-forwarded-proto'), 'http');
      assert.equal(headers.get('x-forwarded-host'), 'app.example');
      assert.equal(headers.get('x-forwarded-port'), rig.address('x').split(':')[1]);
      assert.equal(headers.get('x-real-ip'), '127.0.0.1');
      assert.equal(headers.get('forwarded'), undefined);
      assert.notEqual(headers.get('x-request-id'), 'mine');
    });

    it('by Forwarded', async () => {
      const headers = await told('rfc7239', lie);
      assert.equal(headers.get('forwarded'), element);
      assert.equal(headers.get('x-forwarded-for'), undefined);
    });

    it('by both', async () => {
      const headers = await told('both', lie);
      assert.equal(headers.get('forwarded'), element);
      assert.equal(headers.get('x-forwarded-for'), '127.0.0.1');
    });

    it('not at all', async () => {
      const headers = await told('off', lie);
      for (const name of ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip'])
        assert.equal(headers.get(name), undefined);
      assert.match(headers.get('x-request-id') ?? '', /^[\da-f-]{36}$/);
    });

    it('and extends the facts from a trusted proxy', async () => {
      const headers = await told('trusting', lie);
      assert.equal(headers.get('x-forwarded-for'), '10.0.0.1, 127.0.0.1');
      assert.equal(headers.get('x-forwarded-proto'), 'https');
      assert.equal(headers.get('x-real-ip'), '10.0.0.1');
      assert.equal(headers.get('forwarded'), 'for=10.0.0.1, for=127.0.0.1;host=app.example;proto=https');
      assert.equal(headers.get('x-request-id'), 'mine');
    });
  });

  it('rewrites host, path and headers as the route says', async () => {
    const { headers, body } = await ask(url('/stripped/a%2fb?c=d'), {
      headers: { Host: 'app.example', 'X-Set': 'old', 'X-Added': 'some', 'X-Secret': 'b' },
    });
    const seen = JSON.parse(body.toString()) as { url: string; rawHeaders: string[] };
    assert.equal(seen.url, '/a%2Fb?c=d');
    const values = (name: string): string[] =>
      seen.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]!.toLowerCase() === name);
    assert.deepEqual(values('host'), ['inner.example']);
    assert.deepEqual(values('x-set'), ['new']);
    assert.deepEqual(values('x-added'), ['some', 'more']);
    assert.deepEqual(values('x-secret'), []);
    assert.deepEqual(values('via'), []);
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['x-kept'], 'kept, too');
    assert.equal(headers['x-removed'], undefined);
    const other = await ask(url('/v1/one/two?q'));
    assert.equal((JSON.parse(other.body.toString()) as { url: string }).url, '/two/one?q');
  });

  it('sends the requests of one connection to one endpoint after the other', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const names: string[] = [];
    const ports = new Set<number | undefined>();
    for (let count = 0; count < 6; count++) {
      const body = new Promise<string>((settle, fail) => {
        const asked = httpRequest(url('/named'), { agent }, (response) => {
          ports.add(response.socket.localPort);
          void buffer(response).then((bytes) => settle(bytes.toString()), fail);
        });
        asked.once('error', fail);
        asked.end();
      });
      names.push(await body);
    }
    agent.destroy();
    assert.equal(ports.size, 1);
    assert.match(names.join(''), /^(?:ab){3}$|^(?:ba){3}$/);
  });

  it('uploads 8 MB whole, from many clients at once', async () => {
    const sha = createHash('sha256').update(LARGE).digest('hex');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask(url('/mirror'), { method: 'POST', body: LARGE })),
    );
    for (const { body } of answers) {
      const seen = JSON.parse(body.toString()) as { size: number; sha: string };
      assert.deepEqual([seen.size, seen.sha], [LARGE.length, sha]);
    }
  });

  it('matches routes for WebSockets, for plain requests, or for both', async () => {
    const connect = (path: string): Promise<WsPeer> => WsPeer.connect(`ws://${rig.address('web')}${path}`);
    const joined = async (path: string): Promise<void> => {
      const client = await connect(path);
      await sockets.sessions.next();
      client.socket.close();
    };
    await joined('/only');
    assert.equal((await ask(url('/only'))).status, 426);
    await joined('/sockets');
    // The library answers what is no handshake.
    assert.equal((await ask(url('/sockets'))).status, 426);
    await assert.rejects(connect('/never'), /response: 200/);
    const { body } = await ask(url('/never'));
    assert.equal((JSON.parse(body.toString()) as { url: string }).url, '/never');
  });

  it('has the Upgrade that a 426 of the endpoint must have, with its connection option', async () => {
    const { client, endpoint } = await meet(get());
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'X-Kept: 1'];
    endpoint.write(['HTTP/1.1 426 Upgrade Required', ...lines, 'Content-Length: 0', '', ''].join('\r\n'));
    const head = await client.head();
    assert.match(head.startLine, / 426 /);
    for (const line of lines) {
      const [name = '', value] = line.split(': ');
      assert.equal(headerOf(head, name.toLowerCase()), value);
    }
    // The connections on either side are at their next request.
    client.write(get());
    await endpoint.head();
    endpoint.write(OK);
    assert.match((await client.head()).startLine, / 200 /);
    client.destroy();
  });

  it('counts and logs requests by route', async () => {
    await ask(url('/named?secret'), { method: 'POST', body: 'abc' });
    await eventually(async () => {
      const metrics = await rig.scrape();
      const labels = { listener: 'web', route: 'named' };
      const requests = metrics.sum('sluice_http_requests_total', { ...labels, code: '2xx' });
      assert.ok(requests > 0);
      assert.equal(metrics.sum('sluice_http_request_duration_seconds_count', labels), requests);
      assert.equal(metrics.sum('sluice_ws_sessions_total', labels), 0);
    });
    const line = await rig.sluice.waitForLog(
      ({ msg, route, method }) => msg === 'request' && route === 'named' && method === 'POST',
    );
    const { listener, cluster, client, path, status, received, sent } = line;
    assert.deepEqual(
      { listener, cluster, client, path, status, received, sent },
      {
        listener: 'web',
        cluster: 'named',
        client: '127.0.0.1',
        path: '/named',
        status: 200,
        received: 3,
        sent: 1,
      },
    );
    assert.ok(named.some(({ address }) => address === line.endpoint));
    assert.match(String(line.requestId), /^[\da-f-]{36}$/);
    assert.ok(typeof line.seconds === 'number' && line.seconds >= 0);
  });
});
