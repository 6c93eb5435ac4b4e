import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { HandshakeRig } from '../../support/rigs/handshake-rig.ts';
import {
  RawConnection,
  headerOf,
  switchingProtocols,
  upgradeRequest,
  valuesOf,
} from '../../support/sockets/raw-connection.ts';
import { CLOSE, TEXT, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';

const RIGHT = upgradeRequest('app.example');
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** From RFC 6455 section 1.3, for that key. */
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

for (const engine of ENGINES) describe(`the handshake of a client on ${engine}`, () => handshakeOn(engine));

function handshakeOn(engine: EngineName): void {
  const isOwn = isOwnEngine(engine);
  let rig: HandshakeRig;

  before(async () => {
    rig = await HandshakeRig.start(engine);
  });
  after(() => rig.stop());

  describe('that is right', () => {
    it('is answered for its own key, without extensions and subprotocol', async () => {
      const { answered, client } = await rig.shake(RIGHT);
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
        const { answered, client } = await rig.shake(request);
        assert.match(answered.startLine, / 101 /);
        client.destroy();
      }
    });

    it(`may come byte by byte${isOwn ? '' : ' behind its first line, which uWS wants whole'}`, async () => {
      const client = await RawConnection.connect(rig.web.address('web'));
      const line = isOwn ? 0 : RIGHT.indexOf('\n') + 1;
      client.write(RIGHT.slice(0, line));
      for (const byte of Buffer.from(RIGHT.slice(line))) {
        await new Promise((settle) => setImmediate(settle));
        client.write(Buffer.from([byte]));
      }
      const upstream = await rig.endpoint.session();
      assert.match((await client.head()).startLine, / 101 /);
      upstream.write(encodeFrame(TEXT, 'hello'));
      assert.equal((await client.frame()).payload.toString(), 'hello');
      client.destroy();
    });

    const early = encodeFrame(TEXT, 'too early', { mask: Buffer.alloc(4) });
    if (isOwn) {
      it('may be followed by frames, which reach the endpoint', async () => {
        const { answered, client, upstream } = await rig.shake(Buffer.concat([Buffer.from(RIGHT), early]));
        assert.match(answered.startLine, / 101 /);
        assert.equal((await upstream.frame()).payload.toString(), 'too early');
        client.destroy();
      });

      it('is no place for another request, which is a breach of the protocol', async () => {
        const { answered, client, upstream } = await rig.shake(RIGHT + RIGHT);
        assert.match(answered.startLine, / 101 /);
        assert.equal((await upstream.frame()).opcode, CLOSE);
        upstream.write(encodeFrame(CLOSE, closeBody(1001)));
        const { opcode, payload } = await client.frame();
        assert.deepEqual([opcode, payload.readUInt16BE()], [CLOSE, 1002]);
        client.destroy();
      });
    } else {
      for (const [what, behind] of [
        ['a frame', early],
        ['another request', Buffer.from(RIGHT)],
      ] as const) {
        it(`harms only its sender when it carries ${what}`, async () => {
          const client = await RawConnection.connect(rig.web.address('web'));
          client.write(Buffer.concat([Buffer.from(RIGHT), behind]));
          await client.rest();
          const other = await RawConnection.connect(rig.web.address('web'));
          other.write(upgradeRequest('app.example', [], '/after'));
          // The endpoint may have been dialled for the first client before it was cut off.
          for (;;) {
            const upstream = await rig.endpoint.connections.next();
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
    }
  });

  it('may offer subprotocols with colons and slashes, which choose routes, too', async () => {
    const request = upgradeRequest('app.example', ['Sec-WebSocket-Protocol: c/d, urn:a/b'], '/nowhere');
    const answer = ['Sec-WebSocket-Protocol: c/d'];
    const { asked, answered, client } = await rig.shake(request, { listener: 'mixed', answer });
    assert.equal(headerOf(asked, 'sec-websocket-protocol'), 'c/d, urn:a/b');
    assert.equal(headerOf(answered, 'sec-websocket-protocol'), 'c/d');
    client.destroy();
    const bearer = 'base64url.bearer.authorization.k8s.io.dG9rZW4';
    const peer = await RawConnection.connect(rig.web.address('web'));
    peer.write(upgradeRequest('app.example', [`Sec-WebSocket-Protocol: a:b, ${bearer}`]));
    const { connection, head } = await rig.endpoint.request();
    connection.write(switchingProtocols(head, ['Sec-WebSocket-Protocol: d:e']));
    assert.match((await peer.head()).startLine, / 502 /);
    peer.destroy();
  });

  describe('as the endpoint gets it', () => {
    it('has the normalized path and the unchanged query', async () => {
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
        const { asked, client } = await rig.shake(upgradeRequest('app.example', [], target));
        assert.equal(asked.startLine, `GET ${expected} HTTP/1.1`);
        client.destroy();
      }
    });

    it('has a new key', async () => {
      const keys = new Set([KEY]);
      for (let i = 0; i < 3; i++) {
        const { asked, client } = await rig.shake(RIGHT);
        const key = headerOf(asked, 'sec-websocket-key') ?? '';
        assert.equal(Buffer.from(key, 'base64').length, 16);
        assert.equal(key.length, 24);
        keys.add(key);
        client.destroy();
      }
      assert.equal(keys.size, 4);
    });

    it('keeps headers meant for the endpoint', async () => {
      const text = Buffer.from('é€👋').toString('latin1');
      const kept = [
        'Origin: https://app.example',
        'User-Agent: agent/1.0',
        'Authorization: Bearer secret',
        'Cookie: a=1; b=2',
        'X-Twice: first',
        'X-Twice: second',
        'X-Empty: ',
        // uWS takes bytes above ASCII for white space at the ends of a value.
        `X-Text: ${isOwn ? text : `a${text}z`}`,
        'Accept-Language: de, en;q=0.5',
      ];
      const { asked, client } = await rig.shake(upgradeRequest('App.example:8080', kept));
      assert.equal(headerOf(asked, 'host'), 'App.example:8080');
      for (const line of kept) {
        const [name = '', value = ''] = line.split(': ');
        assert.ok(valuesOf(asked, name.toLowerCase()).includes(value), line);
      }
      assert.deepEqual(valuesOf(asked, 'x-twice'), ['first', 'second']);
      client.destroy();
    });

    it('has no headers that are meant for the proxy only', async () => {
      const offer = 'permessage-deflate; client_max_window_bits';
      const { asked, client } = await rig.shake(
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
          `Sec-WebSocket-Extensions: ${offer}`,
          'Sec-WebSocket-Accept: x',
        ]),
      );
      assert.equal(headerOf(asked, 'host'), 'app.example');
      assert.deepEqual(valuesOf(asked, 'connection'), ['Upgrade']);
      assert.deepEqual(valuesOf(asked, 'upgrade'), ['websocket']);
      assert.deepEqual(valuesOf(asked, 'sec-websocket-version'), ['13']);
      assert.equal(valuesOf(asked, 'sec-websocket-key').length, 1);
      // uWS would have to decode what the two agree on.
      assert.deepEqual(valuesOf(asked, 'sec-websocket-extensions'), isOwn ? [offer] : []);
      const names = asked.headers.map(([name]) => name.toLowerCase());
      for (const name of [
        ...['x-secret', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer'],
        ...['content-length', 'x_forwarded_for', 'sec_websocket_key', 'sec-websocket-accept'],
      ]) {
        assert.ok(!names.includes(name), name);
      }
      client.destroy();
    });

    it('identifies the client, whatever the client claims', async () => {
      const { port } = new URL(`ws://${rig.web.address('web')}`);
      const { asked, client } = await rig.shake(
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

    it('forwards the facts from a trusted proxy in front', async () => {
      const { asked, client } = await rig.shake(
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
      // The last address that is not a trusted proxy: anybody may have written the addresses left of it.
      assert.equal(headerOf(asked, 'x-real-ip'), '198.51.100.2');
      assert.equal(headerOf(asked, 'x-request-id'), 'edge-1234');
      assert.deepEqual(valuesOf(asked, 'forwarded'), [
        'for=192.0.2.7, for=198.51.100.2:80;proto=https',
        'for=10.0.0.5',
      ]);
      const line = await rig.web.sluice.waitForLog(({ requestId }) => requestId === 'edge-1234');
      assert.equal(line.client, '198.51.100.2');
      client.destroy();
    });

    it('leaves no secret in the log', async () => {
      const secrets = ['Authorization: Bearer s3cr3t', 'Cookie: sid=s3cr3t', 'X-Api-Key: s3cr3t'];
      const { asked, client } = await rig.shake(upgradeRequest('app.example', secrets, '/?token=s3cr3t'));
      const id = headerOf(asked, 'x-request-id');
      client.destroy();
      for (const event of ['session opened', 'session closed'])
        await rig.web.sluice.waitForLog(({ msg, requestId }) => msg === event && requestId === id);
      assert.doesNotMatch(JSON.stringify(rig.web.sluice.logs) + rig.web.sluice.stderr, /s3cr3t/);
    });

    it('offers the subprotocols of the client in their order', async () => {
      const { asked, answered, client } = await rig.shake(
        upgradeRequest('app.example', ['Sec-WebSocket-Protocol: v2, v1', 'Sec-WebSocket-Protocol: v0']),
        { answer: ['Sec-WebSocket-Protocol: v1'] },
      );
      assert.equal(valuesOf(asked, 'sec-websocket-protocol').join(', '), 'v2, v1, v0');
      assert.equal(headerOf(answered, 'sec-websocket-protocol'), 'v1');
      client.destroy();
    });
  });

  describe('is answered', () => {
    it('without a subprotocol if the endpoint chooses none', async () => {
      const { answered, client } = await rig.shake(
        upgradeRequest('app.example', ['Sec-WebSocket-Protocol: v2, v1']),
      );
      assert.equal(headerOf(answered, 'sec-websocket-protocol'), undefined);
      client.destroy();
    });

    it("with the endpoint's own headers, less those of its connection", async () => {
      const { answered, client } = await rig.shake(RIGHT, {
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
      const client = WsPeer.connect(`ws://${rig.web.address('web')}/`, { subprotocols: ['v2', 'v1'] });
      const { connection, head } = await rig.endpoint.request();
      connection.write(switchingProtocols(head, ['Sec-WebSocket-Protocol: v1']));
      const { socket, headers } = await client;
      assert.equal(socket.protocol, 'v1');
      assert.equal(headers['sec-websocket-protocol'], 'v1');
      socket.terminate();
    });
  });
}
