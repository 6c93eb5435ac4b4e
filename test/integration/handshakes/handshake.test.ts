import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import {
  RawConnection,
  headerOf,
  switchingProtocols,
  upgradeRequest,
  valuesOf,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { TEXT, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';

const RIGHT = upgradeRequest('app.example');
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** From RFC 6455 section 1.3, for that key. */
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('the handshake of a client', () => {
  let endpoint: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await RawEndpoint.listen();
    const routes = [
      { match: { pathPrefix: '/chat' }, cluster: 'raw', upgrade: 'only', rewrite: { stripPrefix: '/chat' } },
      { match: {}, cluster: 'raw', upgrade: 'only' },
    ];
    rig = await WebRig.start({
      listeners: {
        web: { routes },
        mixed: {
          routes: [{ match: { subprotocol: 'urn:a/b' }, cluster: 'raw' }],
        },
        trusting: { routes, trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] },
      },
      clusters: { raw: { retries: 0, endpoints: [endpoint.address] } },
    });
  });
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  /** Sends a request, answers it at the endpoint, and returns both heads. */
  async function shake(
    request: string,
    { listener = 'web', answer = [] }: { listener?: string; answer?: readonly string[] } = {},
  ): Promise<{ asked: RawHead; answered: RawHead; client: RawConnection; upstream: RawConnection }> {
    const client = await RawConnection.connect(rig.address(listener));
    client.write(request);
    const { connection: upstream, head: asked } = await endpoint.request();
    upstream.write(switchingProtocols(asked, answer));
    return { asked, answered: await client.head(), client, upstream };
  }

  describe('is refused', () => {
    const more = (...lines: string[]): string => upgradeRequest('app.example', lines);
    const at = (target: string): string => upgradeRequest('app.example', [], target);
    const instead = (line: string, other: string): string => {
      assert.ok(RIGHT.includes(line));
      return RIGHT.replace(line, other);
    };
    const upgrade = 'Upgrade: websocket\r\n';
    const connection = 'Connection: Upgrade\r\n';
    const key = `Sec-WebSocket-Key: ${KEY}\r\n`;
    const version = 'Sec-WebSocket-Version: 13\r\n';
    const host = 'Host: app.example\r\n';
    const refused: readonly (readonly [what: string, status: number, request: string])[] = [
      ['no key', 400, instead(key, '')],
      ['a short key', 400, instead(KEY, 'dGhl')],
      ['a key that is no base64', 400, instead(KEY, 'dGhlIHNhbXBsZSBub25jZQ!!')],
      ['a key of 16 bytes and some bits', 400, instead(KEY, 'dGhlIHNhbXBsZSBub25jZR==')],
      ['a key of 17 bytes', 400, instead(KEY, 'dGhlIHNhbXBsZSBub25jZQE=')],
      ['two keys', 400, more(`Sec-WebSocket-Key: ${KEY}`)],
      ['version 8', 426, instead('Version: 13', 'Version: 8')],
      ['version 013', 426, instead('Version: 13', 'Version: 013')],
      ['no version', 426, instead(version, '')],
      ['two versions', 400, more('Sec-WebSocket-Version: 13')],
      ['no Upgrade', 426, instead(upgrade, '')],
      ['an upgrade to h2c', 426, instead(upgrade, 'Upgrade: h2c\r\n')],
      ['an upgrade to this or that', 400, instead(upgrade, 'Upgrade: websocket, h2c\r\n')],
      ['two upgrades', 400, more('Upgrade: websocket')],
      ['no Connection', 426, instead(connection, '')],
      ['a Connection without upgrade', 426, instead(connection, 'Connection: keep-alive\r\n')],
      ['POST', 400, instead('GET', 'POST')],
      ['HEAD', 400, instead('GET', 'HEAD')],
      ['a method in lower case', 400, instead('GET', 'get')],
      ['HTTP/1.0', 505, instead('HTTP/1.1', 'HTTP/1.0')],
      ['a body', 400, `${more('Content-Length: 5')}hello`],
      ['a chunked body', 400, `${more('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`],
      ['two lengths', 400, more('Content-Length: 0', 'Content-Length: 0')],
      ['a length that is none', 400, more('Content-Length: -1')],
      ['length and chunks', 400, `${more('Content-Length: 0', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
      ['another transfer encoding', 400, `${more('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`],
      ['two hosts', 400, more('Host: app.example')],
      ['no host', 400, instead(host, '')],
      ['an empty host', 400, instead(host, 'Host: \r\n')],
      ['a host with a path', 400, instead(host, 'Host: app.example/x\r\n')],
      ['a host with a user', 400, instead(host, 'Host: user@app.example\r\n')],
      ['two hosts in one', 400, instead(host, 'Host: app.example, other.example\r\n')],
      ['a port that is none', 400, instead(host, 'Host: app.example:99999\r\n')],
      ['an escaped NUL in the path', 400, at('/a%00b')],
      ['an escape that is none', 400, at('/a%zz')],
      ['half an escape', 400, at('/a%4')],
      ['a backslash in the path', 400, at('/a\\b')],
      ['a fragment', 400, at('/a#b')],
      ['a byte above ASCII in the path', 400, at('/\xe9')],
      ['a byte above ASCII in the query', 400, at('/?\xe9')],
      ['a control character in the path', 505, at('/a\x01b')],
      ['a space in the path', 505, at('/a b')],
      ['a path without a slash', 505, at('chat')],
      ['a subprotocol with a space', 400, more('Sec-WebSocket-Protocol: a b')],
      ['a subprotocol twice', 400, more('Sec-WebSocket-Protocol: a, b, a')],
      ['a head of 70 KB', 431, more(`X-Long: ${'a'.repeat(70_000)}`)],
      ['200 headers', 431, more(...Array.from({ length: 200 }, (_, i) => `X-${i}: y`))],
    ];
    for (const [what, status, request] of refused) {
      it(`with ${status} for ${what}`, async () => {
        const accepted = endpoint.connections.count;
        const client = await RawConnection.connect(rig.address('web'));
        client.write(request);
        const answer = await client.head();
        assert.equal(Number(answer.startLine.split(' ')[1]), status, answer.startLine);
        if (status === 426) {
          assert.equal(headerOf(answer, 'sec-websocket-version'), '13');
          assert.equal(headerOf(answer, 'upgrade'), 'websocket');
        } else if (!request.startsWith('HEAD')) {
          // What follows a request that cannot be understood must not be taken for another. After an answer
          // without a body uWS has no way to close.
          await client.rest();
        }
        client.destroy();
        assert.equal(endpoint.connections.count, accepted);
      });
    }

    const unreadable: readonly (readonly [what: string, request: string])[] = [
      ['a control character in a header', more('X-A: a\x01b')],
      ['a NUL in a header', more('X-A: a\0b')],
      ['a line that ends in LF alone', more('X-A: a\nX-B: b')],
      ['a CR inside a header', more('X-A: a\rX-B: b')],
      ['a space before the colon', more('X-A : b')],
      ['a folded header', more('X-A: b\r\n c')],
      ['a line without a colon', more('X-A')],
      ['a name that is no token', more('X(A: b')],
    ];
    for (const [what, request] of unreadable) {
      it(`without an answer for ${what}`, async () => {
        const client = await RawConnection.connect(rig.address('web'));
        client.write(request);
        // The proxy has one worker, which has read it before it serves another client.
        const accepted = endpoint.connections.count;
        const { client: other } = await shake(RIGHT);
        assert.equal(endpoint.connections.count, accepted + 1);
        assert.equal(client.socket.bytesRead, 0);
        client.destroy();
        other.destroy();
      });
    }

    it('and counted by reason', async () => {
      const count = async (name: string, labels: Record<string, string>): Promise<number> =>
        (await rig.scrape()).sum(name, { listener: 'web', ...labels });
      const failed = await count('sluice_ws_handshake_failures_total', { reason: 'bad_request' });
      const answered = await count('sluice_http_requests_total', { route: 'route-2', code: '4xx' });
      const client = await RawConnection.connect(rig.address('web'));
      client.write(instead(KEY, 'dGhl'));
      await client.rest();
      assert.equal(await count('sluice_ws_handshake_failures_total', { reason: 'bad_request' }), failed + 1);
      // Counted behind the answer, which may be here first.
      await eventually(async () => {
        assert.equal(
          await count('sluice_http_requests_total', { route: 'route-2', code: '4xx' }),
          answered + 1,
        );
      });
    });
  });

  describe('that is right', () => {
    it('is answered for its own key, without extensions and subprotocol', async () => {
      const { answered, client } = await shake(RIGHT);
      assert.equal(answered.startLine, 'HTTP/1.1 101 Switching Protocols');
      assert.equal(headerOf(answered, 'sec-websocket-accept'), ACCEPT);
      assert.equal(headerOf(answered, 'upgrade')?.toLowerCase(), 'websocket');
      assert.equal(headerOf(answered, 'connection')?.toLowerCase(), 'upgrade');
      for (const name of ['extensions', 'protocol', 'key', 'version'])
        assert.equal(headerOf(answered, `sec-websocket-${name}`), undefined);
      client.destroy();
    });

    it('may be written in other ways', async () => {
      for (const request of [
        RIGHT.replace('Upgrade: websocket', 'UPGRADE:WebSocket').replace(
          'Connection: Upgrade',
          'connection:\tupgrade',
        ),
        RIGHT.replace('Connection: Upgrade', 'Connection: keep-alive, Upgrade'),
        RIGHT.replace('Connection: Upgrade', 'Connection: keep-alive\r\nConnection: upgrade'),
        upgradeRequest('app.example', ['Content-Length: 0']),
        upgradeRequest('[::1]:8080'),
      ]) {
        const { answered, client } = await shake(request);
        assert.match(answered.startLine, / 101 /);
        client.destroy();
      }
    });

    it('may come byte by byte behind its first line, which uWS wants whole', async () => {
      const client = await RawConnection.connect(rig.address('web'));
      const line = RIGHT.indexOf('\n') + 1;
      client.write(RIGHT.slice(0, line));
      for (const byte of Buffer.from(RIGHT.slice(line))) {
        await new Promise((settle) => setImmediate(settle));
        client.write(Buffer.from([byte]));
      }
      const upstream = await endpoint.session();
      assert.match((await client.head()).startLine, / 101 /);
      upstream.write(encodeFrame(TEXT, 'hello'));
      assert.equal((await client.frame()).payload.toString(), 'hello');
      client.destroy();
    });

    for (const [what, behind] of [
      ['a frame', encodeFrame(TEXT, 'too early', { mask: Buffer.alloc(4) })],
      ['another request', Buffer.from(RIGHT)],
    ] as const) {
      it(`harms nobody but its sender when ${what} comes with it`, async () => {
        const client = await RawConnection.connect(rig.address('web'));
        client.write(Buffer.concat([Buffer.from(RIGHT), behind]));
        await client.rest();
        const other = await RawConnection.connect(rig.address('web'));
        other.write(upgradeRequest('app.example', [], '/after'));
        // The endpoint may have been dialled for the first client before it was cut off.
        for (;;) {
          const upstream = await endpoint.connections.next();
          const asked = await upstream.head().catch(() => null);
          if (asked?.startLine === 'GET /after HTTP/1.1') {
            upstream.write(switchingProtocols(asked));
            break;
          }
          await within('the end of the connection for the first client', upstream.closed);
        }
        assert.match((await other.head()).startLine, / 101 /);
        other.destroy();
      });
    }
  });

  it('may offer subprotocols with colons and slashes, which choose routes, too', async () => {
    const request = upgradeRequest('app.example', ['Sec-WebSocket-Protocol: c/d, urn:a/b'], '/nowhere');
    const answer = ['Sec-WebSocket-Protocol: c/d'];
    const { asked, answered, client } = await shake(request, { listener: 'mixed', answer });
    assert.equal(headerOf(asked, 'sec-websocket-protocol'), 'c/d, urn:a/b');
    assert.equal(headerOf(answered, 'sec-websocket-protocol'), 'c/d');
    client.destroy();
    const bearer = 'base64url.bearer.authorization.k8s.io.dG9rZW4';
    const peer = await RawConnection.connect(rig.address('web'));
    peer.write(upgradeRequest('app.example', [`Sec-WebSocket-Protocol: a:b, ${bearer}`]));
    const { connection, head } = await endpoint.request();
    connection.write(switchingProtocols(head, ['Sec-WebSocket-Protocol: d:e']));
    assert.match((await peer.head()).startLine, / 502 /);
    peer.destroy();
  });

  describe('as the endpoint gets it', () => {
    it('has the path in normal form and the query as it came', async () => {
      for (const [target, expected] of [
        ['/', '/'],
        ['/a/../b/./c', '/b/c'],
        ['/%7euser/%c3%a9', '/~user/%C3%A9'],
        ['/a?b=%41&c=+%2B&d', '/a?b=%41&c=+%2B&d'],
        ['/a?b?c', '/a?b?c'],
        ['/chat/room?x=1', '/room?x=1'],
        ['/chat', '/'],
        ['/chatter', '/chatter'],
        ['/x/chat/room', '/x/chat/room'],
      ] as const) {
        const { asked, client } = await shake(upgradeRequest('app.example', [], target));
        assert.equal(asked.startLine, `GET ${expected} HTTP/1.1`);
        client.destroy();
      }
    });

    it('has a key of its own', async () => {
      const keys = new Set([KEY]);
      for (let i = 0; i < 3; i++) {
        const { asked, client } = await shake(RIGHT);
        const key = headerOf(asked, 'sec-websocket-key') ?? '';
        assert.equal(Buffer.from(key, 'base64').length, 16);
        assert.equal(key.length, 24);
        keys.add(key);
        client.destroy();
      }
      assert.equal(keys.size, 4);
    });

    it('keeps what is meant for the endpoint', async () => {
      const kept = [
        'Origin: https://app.example',
        'User-Agent: agent/1.0',
        'Authorization: Bearer secret',
        'Cookie: a=1; b=2',
        'X-Twice: first',
        'X-Twice: second',
        'X-Empty: ',
        // uWS takes bytes above ASCII for white space at the ends of a value, so letters stand there.
        `X-Text: a${Buffer.from('é€👋').toString('latin1')}z`,
        'Accept-Language: de, en;q=0.5',
      ];
      const { asked, client } = await shake(upgradeRequest('App.example:8080', kept));
      assert.equal(headerOf(asked, 'host'), 'App.example:8080');
      for (const line of kept) {
        const [name = '', value = ''] = line.split(': ');
        assert.ok(valuesOf(asked, name.toLowerCase()).includes(value), line);
      }
      assert.deepEqual(valuesOf(asked, 'x-twice'), ['first', 'second']);
      client.destroy();
    });

    it('has none of what is meant for the proxy alone', async () => {
      const { asked, client } = await shake(
        upgradeRequest('app.example', [
          'Connection: x-secret, Host, Keep-Alive',
          'X-Secret: 1',
          'Keep-Alive: timeout=5',
          'Proxy-Connection: keep-alive',
          'Proxy-Authorization: Basic c2VjcmV0',
          'TE: trailers',
          'Trailer: X-Trailer',
          'Content-Length: 0',
          'X_Forwarded_For: 10.9.9.9',
          'Sec_WebSocket_Key: x',
          'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
          'Sec-WebSocket-Accept: x',
        ]),
      );
      assert.equal(headerOf(asked, 'host'), 'app.example');
      assert.deepEqual(valuesOf(asked, 'connection'), ['Upgrade']);
      assert.deepEqual(valuesOf(asked, 'upgrade'), ['websocket']);
      assert.deepEqual(valuesOf(asked, 'sec-websocket-version'), ['13']);
      assert.equal(valuesOf(asked, 'sec-websocket-key').length, 1);
      const names = asked.headers.map(([name]) => name.toLowerCase());
      for (const name of [
        ...['x-secret', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer'],
        ...['content-length', 'x_forwarded_for', 'sec_websocket_key', 'sec-websocket-extensions'],
        'sec-websocket-accept',
      ]) {
        assert.ok(!names.includes(name), name);
      }
      client.destroy();
    });

    it('says who the client is, whatever the client says of that', async () => {
      const { port } = new URL(`ws://${rig.address('web')}`);
      const { asked, client } = await shake(
        upgradeRequest('app.example:1', [
          'X-Forwarded-For: 10.9.9.9',
          'X-Forwarded-For: 10.9.9.8',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: evil.example',
          'X-Forwarded-Port: 1',
          'X-Real-IP: 10.9.9.9',
          'X-Request-Id: chosen-by-the-client',
          'Forwarded: for=10.9.9.9',
        ]),
      );
      assert.equal(headerOf(asked, 'x-forwarded-for'), '127.0.0.1');
      assert.equal(headerOf(asked, 'x-forwarded-proto'), 'http');
      assert.equal(headerOf(asked, 'x-forwarded-host'), 'app.example:1');
      assert.equal(headerOf(asked, 'x-forwarded-port'), port);
      assert.equal(headerOf(asked, 'x-real-ip'), '127.0.0.1');
      assert.match(headerOf(asked, 'x-request-id') ?? '', UUID);
      assert.equal(headerOf(asked, 'forwarded'), undefined);
      client.destroy();
    });

    it('carries on what a proxy in front says that is trusted', async () => {
      const { asked, client } = await shake(
        upgradeRequest('app.example', [
          'X-Forwarded-For: 192.0.2.7, 198.51.100.2',
          'X-Forwarded-For: 10.0.0.5',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: public.example',
          'X-Forwarded-Port: 443',
          'X-Real-IP: 192.0.2.7',
          'X-Request-Id: edge-1234',
          'Forwarded: for=192.0.2.7, for=198.51.100.2:80;proto=https',
          'Forwarded: for=10.0.0.5',
        ]),
        { listener: 'trusting' },
      );
      assert.equal(headerOf(asked, 'x-forwarded-for'), '192.0.2.7, 198.51.100.2, 10.0.0.5, 127.0.0.1');
      assert.equal(headerOf(asked, 'x-forwarded-proto'), 'https');
      assert.equal(headerOf(asked, 'x-forwarded-host'), 'public.example');
      assert.equal(headerOf(asked, 'x-forwarded-port'), '443');
      // The nearest that is none of ours: what stands before it anybody may have written.
      assert.equal(headerOf(asked, 'x-real-ip'), '198.51.100.2');
      assert.equal(headerOf(asked, 'x-request-id'), 'edge-1234');
      assert.deepEqual(valuesOf(asked, 'forwarded'), [
        'for=192.0.2.7, for=198.51.100.2:80;proto=https',
        'for=10.0.0.5',
      ]);
      const line = await rig.sluice.waitForLog(({ requestId }) => requestId === 'edge-1234');
      assert.equal(line.client, '198.51.100.2');
      client.destroy();
    });

    it('leaves nothing in the log that is secret', async () => {
      const secrets = ['Authorization: Bearer s3cr3t', 'Cookie: sid=s3cr3t', 'X-Api-Key: s3cr3t'];
      const { asked, client } = await shake(upgradeRequest('app.example', secrets, '/?token=s3cr3t'));
      const id = headerOf(asked, 'x-request-id');
      client.destroy();
      for (const event of ['session opened', 'session closed'])
        await rig.sluice.waitForLog(({ msg, requestId }) => msg === event && requestId === id);
      assert.doesNotMatch(JSON.stringify(rig.sluice.logs) + rig.sluice.stderr, /s3cr3t/);
    });

    it('offers the subprotocols of the client in their order', async () => {
      const { asked, answered, client } = await shake(
        upgradeRequest('app.example', ['Sec-WebSocket-Protocol: v2, v1', 'Sec-WebSocket-Protocol: v0']),
        { answer: ['Sec-WebSocket-Protocol: v1'] },
      );
      assert.equal(valuesOf(asked, 'sec-websocket-protocol').join(', '), 'v2, v1, v0');
      assert.equal(headerOf(answered, 'sec-websocket-protocol'), 'v1');
      client.destroy();
    });
  });

  describe('is answered', () => {
    it('without a subprotocol where the endpoint chooses none', async () => {
      const { answered, client } = await shake(
        upgradeRequest('app.example', ['Sec-WebSocket-Protocol: v2, v1']),
      );
      assert.equal(headerOf(answered, 'sec-websocket-protocol'), undefined);
      client.destroy();
    });

    it("with the endpoint's own headers, less those of its connection", async () => {
      const { answered, client } = await shake(RIGHT, {
        answer: [
          'Set-Cookie: session=1; Path=/; HttpOnly',
          'Set-Cookie: shard=b',
          'X-App: yes',
          'Server: app',
          'Connection: x-hop',
          'X-Hop: 1',
          'Keep-Alive: timeout=5',
          'Content-Length: 0',
        ],
      });
      assert.deepEqual(valuesOf(answered, 'set-cookie'), ['session=1; Path=/; HttpOnly', 'shard=b']);
      assert.equal(headerOf(answered, 'x-app'), 'yes');
      assert.equal(headerOf(answered, 'server'), 'app');
      for (const name of ['x-hop', 'keep-alive', 'content-length'])
        assert.equal(headerOf(answered, name), undefined);
      assert.equal(headerOf(answered, 'sec-websocket-accept'), ACCEPT);
      client.destroy();
    });

    it('with the subprotocol that the endpoint chose, as a client of `ws` sees it', async () => {
      const client = WsPeer.connect(`ws://${rig.address('web')}/`, { subprotocols: ['v2', 'v1'] });
      const { connection, head } = await endpoint.request();
      connection.write(switchingProtocols(head, ['Sec-WebSocket-Protocol: v1']));
      const { socket, headers } = await client;
      assert.equal(socket.protocol, 'v1');
      assert.equal(headers['sec-websocket-protocol'], 'v1');
      socket.terminate();
    });
  });
});
