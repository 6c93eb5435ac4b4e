import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import {
  acceptFor,
  headerOf,
  switchingProtocols,
  upgradeRequest,
  valuesOf,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { BINARY, CLOSE, TEXT, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';

describe('the handshake with an endpoint', () => {
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    raw = await RawEndpoint.listen();
    rig = await WebRig.start({
      listeners: { web: {} },
      clusters: { raw: { retries: 0, endpoints: [raw.address] } },
    });
  });
  after(async () => {
    raw.close();
    await rig.stop();
  });

  const ask = (headers: readonly string[] = []): Promise<RawConnection> => rig.ask({ headers });

  /** Asks, and has the raw endpoint answer with what is made of the request. */
  async function askRaw(
    answer: (head: RawHead) => string | Buffer,
    more: readonly string[] = [],
  ): Promise<{ client: RawConnection; endpoint: RawConnection }> {
    const client = await ask(more);
    const { connection: endpoint, head } = await raw.request();
    endpoint.write(answer(head));
    return { client, endpoint };
  }

  async function assertAnswer(client: RawConnection, status: number, body: RegExp): Promise<RawHead> {
    const head = await client.head();
    assert.equal(Number(head.startLine.split(' ')[1]), status, head.startLine);
    const length = Number(headerOf(head, 'content-length'));
    assert.match((await client.bytes(length)).toString('latin1'), body);
    client.destroy();
    return head;
  }

  async function failures(reason: string): Promise<number> {
    return (await rig.scrape()).sum('sluice_ws_handshake_failures_total', { reason });
  }

  describe('is a 502 for the client after', () => {
    const without = (head: RawHead, line: string): string => {
      const right = switchingProtocols(head);
      assert.ok(right.includes(line));
      return right.replace(line, '');
    };
    const instead = (head: RawHead, line: string, other: string): string =>
      without(head, line).replace(/\r\n\r\n$/, `\r\n${other}\r\n`);
    const upgrade = 'Upgrade: websocket\r\n';
    const connection = 'Connection: Upgrade\r\n';
    const accept = (head: RawHead): string => `Sec-WebSocket-Accept: ${acceptFor(head)}\r\n`;
    const wrong: readonly (readonly [what: string, answer: (head: RawHead) => string | Buffer])[] = [
      [
        'a wrong accept',
        (head) => instead(head, accept(head), 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n'),
      ],
      ['no accept', (head) => without(head, accept(head))],
      ['two accepts', (head) => switchingProtocols(head, [accept(head).trim()])],
      ['no Upgrade', (head) => without(head, upgrade)],
      ['an upgrade to h2c', (head) => instead(head, upgrade, 'Upgrade: h2c\r\n')],
      ['no Connection', (head) => without(head, connection)],
      ['a Connection without upgrade', (head) => instead(head, connection, 'Connection: close\r\n')],
      ['an extension', (head) => switchingProtocols(head, ['Sec-WebSocket-Extensions: permessage-deflate'])],
      [
        'a subprotocol that was not offered',
        (head) => switchingProtocols(head, ['Sec-WebSocket-Protocol: v3']),
      ],
      ['a subprotocol in another case', (head) => switchingProtocols(head, ['Sec-WebSocket-Protocol: V1'])],
      ['two subprotocols', (head) => switchingProtocols(head, ['Sec-WebSocket-Protocol: v1, v2'])],
      ['HTTP/1.0', (head) => switchingProtocols(head).replace('HTTP/1.1', 'HTTP/1.0')],
      ['HTTP/2', (head) => switchingProtocols(head).replace('HTTP/1.1', 'HTTP/2')],
      ['a line without a colon', (head) => switchingProtocols(head, ['X-Line'])],
      ['a space before the colon', (head) => switchingProtocols(head, ['X-Line : x'])],
      ['a folded line', (head) => switchingProtocols(head, ['X-Line: x', ' folded'])],
      ['a control character', (head) => switchingProtocols(head, ['X-Line: \x01'])],
      ['lines that end in LF alone', (head) => switchingProtocols(head).replaceAll('\r\n', '\n')],
      ['a head of 70 KB', (head) => switchingProtocols(head, [`X-Line: ${'x'.repeat(70_000)}`])],
      ['a head without an end', () => `HTTP/1.1 101 Switching Protocols\r\nX-Line: ${'x'.repeat(70_000)}`],
      [
        '17 interim responses',
        (head) => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17) + switchingProtocols(head),
      ],
      ['another protocol', () => 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'],
      ['bytes without meaning', () => Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46])],
      ['a status of two digits', () => 'HTTP/1.1 99 Odd\r\n\r\n'],
    ];
    for (const [what, answer] of wrong) {
      it(what, async () => {
        const before = await failures('bad_response');
        const from = rig.sluice.logs.length;
        const offer = ['Sec-WebSocket-Protocol: v1, v2'];
        const { client, endpoint } = await askRaw(answer, offer);
        await assertAnswer(client, 502, /^the endpoint sent an invalid answer\n$/);
        await within('the end of the connection to the endpoint', endpoint.closed);
        assert.equal(await failures('bad_response'), before + 1);
        const line = await rig.sluice.waitForLog(({ msg }) => msg === 'endpoint failed', undefined, from);
        assert.deepEqual([line.cluster, line.endpoint, line.reason], ['raw', raw.address, 'handshake']);
      });
    }

    for (const [what, bytes] of [
      ['an end without an answer', ''],
      ['an end within the head', 'HTTP/1.1 101 Switching'],
    ] as const) {
      it(what, async () => {
        const { client, endpoint } = await askRaw(() => bytes);
        endpoint.socket.end();
        await assertAnswer(client, 502, /^the endpoint closed the connection without an answer\n$/);
      });
    }
  });

  describe('continues to the session after', () => {
    async function assertJoined(client: RawConnection): Promise<void> {
      let { startLine } = await client.head();
      // The engine uws sends no interim responses.
      if (startLine.includes(' 103 ')) ({ startLine } = await client.head());
      assert.match(startLine, / 101 /);
      assert.equal((await client.frame()).payload.toString(), 'hello');
      client.destroy();
    }
    const hello = encodeFrame(TEXT, 'hello');

    it('a 101 that arrives byte by byte', async () => {
      const client = await ask();
      const { connection, head } = await raw.request();
      for (const byte of Buffer.concat([Buffer.from(switchingProtocols(head)), hello])) {
        connection.write(Buffer.from([byte]));
        await new Promise((settle) => setImmediate(settle));
      }
      await assertJoined(client);
    });

    it('a 101 directly followed by frames', async () => {
      const large = Buffer.alloc(150_000, 7);
      const frames = [hello, encodeFrame(BINARY, large), encodeFrame(CLOSE, closeBody(4001, 'bye'))];
      const client = WsPeer.connect(`ws://${rig.address('web')}/`);
      const { connection, head } = await raw.request();
      connection.write(Buffer.concat([Buffer.from(switchingProtocols(head)), ...frames]));
      const peer = await client;
      assert.equal((await peer.messages.next()).data.toString(), 'hello');
      assert.ok((await peer.messages.next()).data.equals(large));
      assert.deepEqual(await peer.closed(), { code: 4001, reason: 'bye' });
    });

    const odd: readonly (readonly [what: string, answer: (right: string) => string])[] = [
      [
        'interim answers',
        (right) => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${right}`,
      ],
      ['a 101 without a reason', (right) => right.replace('101 Switching Protocols', '101')],
      [
        'names in other cases',
        (right) => right.replace('Upgrade: websocket', 'UPGRADE:WEBSOCKET').replace('Sec-', 'sec-'),
      ],
      [
        'an empty list of extensions',
        (right) => right.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions:\r\n\r\n'),
      ],
    ];
    for (const [what, answer] of odd) {
      it(what, async () => {
        const { client, endpoint } = await askRaw((head) => answer(switchingProtocols(head)));
        endpoint.write(hello);
        await assertJoined(client);
      });
    }
  });

  describe('hands on to the client', () => {
    it('a 401 with its challenge and body, less what concerns the connection, which can be used again', async () => {
      const before = await failures('refused');
      const client = await ask();
      const { connection, head: first } = await raw.request();
      assert.match(first.startLine, /^GET \/ /);
      connection.write(
        [
          'HTTP/1.1 401 Unauthorized',
          'WWW-Authenticate: Bearer realm="app"',
          'Content-Type: application/json',
          'Set-Cookie: a=1',
          'Set-Cookie: b=2',
          'Keep-Alive: timeout=5',
          'Connection: keep-alive, X-Hop',
          'X-Hop: 1',
          'Content-Length: 14',
          '',
          '{"error":true}',
        ].join('\r\n'),
      );
      const head = await client.head();
      assert.match(head.startLine, /^HTTP\/1\.1 401 /);
      assert.equal(headerOf(head, 'www-authenticate'), 'Bearer realm="app"');
      assert.equal(headerOf(head, 'content-type'), 'application/json');
      assert.deepEqual(valuesOf(head, 'set-cookie'), ['a=1', 'b=2']);
      for (const name of ['keep-alive', 'x-hop']) assert.equal(headerOf(head, name), undefined);
      assert.equal(headerOf(head, 'content-length'), '14');
      assert.equal((await client.bytes(14)).toString(), '{"error":true}');
      await within('the end of the connection to the endpoint', connection.closed);
      assert.equal(await failures('refused'), before + 1);

      client.write(upgradeRequest('app.example', ['Authorization: Bearer x']));
      await raw.session();
      assert.match((await client.head()).startLine, / 101 /);
      client.destroy();
    });

    const answers: readonly (readonly [what: string, answer: string, status: number, body: RegExp])[] = [
      ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n', 302, /^$/],
      ['a 200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 200, /^ok$/],
      [
        'chunks with an extension and a trailer',
        'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nnot\r\n5\r\n here\r\n0\r\nX-T: 1\r\n\r\n',
        403,
        /^not here$/,
      ],
      ['bytes after the body', 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1', 404, /^no$/],
      ['a 426 in HTTP/1.0', 'HTTP/1.0 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno', 426, /^no$/],
      [
        'an answer behind interim ones',
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n',
        500,
        /^$/,
      ],
    ];
    for (const [what, answer, status, body] of answers) {
      it(what, async () => {
        const { client, endpoint } = await askRaw(() => answer);
        const head = await assertAnswer(client, status, body);
        assert.equal(headerOf(head, 'transfer-encoding'), undefined);
        if (status === 302) assert.equal(headerOf(head, 'location'), '/login');
        await within('the end of the connection to the endpoint', endpoint.closed);
      });
    }

    it('a body that lasts until the endpoint closes', async () => {
      const { client, endpoint } = await askRaw(() => 'HTTP/1.1 403 Forbidden\r\nX-App: yes\r\n\r\nfirst ');
      endpoint.write('second');
      endpoint.socket.end();
      const head = await assertAnswer(client, 403, /^first second$/);
      assert.equal(headerOf(head, 'x-app'), 'yes');
    });

    it('a body in HTTP/1.0, which lasts until the endpoint closes', async () => {
      const { client, endpoint } = await askRaw(() => 'HTTP/1.0 403 Forbidden\r\n\r\nno ');
      endpoint.write('upgrade');
      endpoint.socket.end();
      await assertAnswer(client, 403, /^no upgrade$/);
    });

    it('a 204 without a body', async () => {
      const { client } = await askRaw(() => 'HTTP/1.1 204 No Content\r\nX-App: yes\r\n\r\n');
      const head = await client.head();
      assert.match(head.startLine, /^HTTP\/1\.1 204 /);
      assert.equal(headerOf(head, 'x-app'), 'yes');
      client.destroy();
    });
  });

  it('leaves no connection behind', async () => {
    raw.clear();
    await rig.settled();
  });
});
