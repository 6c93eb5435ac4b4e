import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { HandshakeRig } from '../../support/rigs/handshake-rig.ts';
import { RawConnection, headerOf, upgradeRequest } from '../../support/sockets/raw-connection.ts';

const RIGHT = upgradeRequest('app.example');
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('a handshake', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, { concurrency: 1 }, () => refusalsOn(engine));
});

function refusalsOn(engine: EngineName): void {
  const isOwn = isOwnEngine(engine);
  let rig: HandshakeRig;

  before(async () => {
    rig = await HandshakeRig.start(engine);
  });
  after(() => rig.stop());

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
      ['HTTP/1.0', isOwn ? 426 : 505, instead('HTTP/1.1', 'HTTP/1.0')],
      ['a body', 400, `${more('Content-Length: 5')}hello`],
      ['a chunked body', 400, `${more('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`],
      ['two lengths', 400, more('Content-Length: 0', 'Content-Length: 0')],
      ['a length that is none', 400, more('Content-Length: -1')],
      ['length and chunks', 400, `${more('Content-Length: 0', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
      [
        'another transfer encoding',
        isOwn ? 501 : 400,
        `${more('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
      ],
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
      ['a control character in the path', isOwn ? 400 : 505, at('/a\x01b')],
      ['a space in the path', isOwn ? 400 : 505, at('/a b')],
      ['a path without a slash', isOwn ? 400 : 505, at('chat')],
      ['a subprotocol with a space', 400, more('Sec-WebSocket-Protocol: a b')],
      ['a subprotocol twice', 400, more('Sec-WebSocket-Protocol: a, b, a')],
      ['a head of 70 KB', 431, more(`X-Long: ${'a'.repeat(70_000)}`)],
      ['200 headers', 431, more(...Array.from({ length: 200 }, (_, i) => `X-${i}: y`))],
    ];
    for (const [what, status, request] of refused) {
      it(`with ${status} for ${what}`, async () => {
        const accepted = rig.endpoint.connections.count;
        const client = await RawConnection.connect(rig.web.address('web'));
        client.write(request);
        const answer = await client.head();
        assert.equal(Number(answer.startLine.split(' ')[1]), status, answer.startLine);
        if (status === 426) {
          assert.equal(headerOf(answer, 'sec-websocket-version'), '13');
          assert.equal(headerOf(answer, 'upgrade'), 'websocket');
        } else if (!request.startsWith('HEAD')) {
          // Bytes after an invalid request must not be read as another request. After an answer without a
          // body uWS has no way to close.
          await client.rest();
        }
        client.destroy();
        assert.equal(rig.endpoint.connections.count, accepted);
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
      it(`${isOwn ? 'with 400' : 'without an answer'} for ${what}`, async () => {
        const client = await RawConnection.connect(rig.web.address('web'));
        const accepted = rig.endpoint.connections.count;
        client.write(request);
        if (isOwn) {
          assert.equal((await client.head()).startLine, 'HTTP/1.1 400 Bad Request');
          await client.rest();
          assert.equal(rig.endpoint.connections.count, accepted);
          return;
        }
        // The proxy has one worker, which has read it before it serves another client.
        const { client: other } = await rig.shake(RIGHT);
        assert.equal(rig.endpoint.connections.count, accepted + 1);
        assert.equal(client.socket.bytesRead, 0);
        client.destroy();
        other.destroy();
      });
    }

    it('and counted by reason', async () => {
      const count = async (name: string, labels: Record<string, string>): Promise<number> =>
        (await rig.web.scrape()).sum(name, { listener: 'web', ...labels });
      const failed = await count('sluice_ws_handshake_failures_total', { reason: 'bad_request' });
      const answered = await count('sluice_http_requests_total', { route: 'route-2', code: '4xx' });
      const client = await RawConnection.connect(rig.web.address('web'));
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
}
