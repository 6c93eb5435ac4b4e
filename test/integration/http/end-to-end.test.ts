/** Traffic that sluice's own engines carry from one side to the other, and uWebSockets.js cannot. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { get, rawClient, request } from '../../support/http/raw-client.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import {
  RawConnection,
  headerOf,
  switchingProtocols,
  upgradeRequest,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

function linesOf({ headers }: RawHead, ...names: string[]): string[] {
  return headers.filter(([name]) => names.includes(name)).map((line) => line.join(': '));
}

for (const engine of ['raw', 'net'] as const) {
  describe(`an exchange through the engine ${engine}`, () => {
    let raw: RawEndpoint;
    let rig: WebRig;

    before(async () => {
      raw = await RawEndpoint.listen();
      rig = await WebRig.start({
        listeners: {
          web: { engine },
          plain: { engine, websocket: { compression: 'off' } },
        },
        clusters: { app: { endpoints: [raw.address] } },
      });
    });
    after(async () => {
      raw.close();
      await rig.stop();
    });

    const { meet } = rawClient(
      () => raw,
      () => rig.address('web'),
    );

    it('keeps names and bytes of headers in both directions', async () => {
      const { client, endpoint, head } = await meet(get('X-Odd-CASE: caf\xc3\xa9', 'x-latin: \xe9\xff'));
      assert.deepEqual(linesOf(head, 'Host', 'X-Odd-CASE', 'x-latin'), [
        'Host: app.example',
        'X-Odd-CASE: caf\xc3\xa9',
        'x-latin: \xe9\xff',
      ]);
      endpoint.write(
        'HTTP/1.1 200 OK\r\nETag: "a"\r\nx-lower: \xe9\r\nDATE: Sat, 28 Nov 2026 23:00:00 GMT\r\nContent-Length: 0\r\n\r\n',
      );
      const answer = await client.head();
      assert.deepEqual(linesOf(answer, 'ETag', 'x-lower', 'DATE', 'Date'), [
        'ETag: "a"',
        'x-lower: \xe9',
        'DATE: Sat, 28 Nov 2026 23:00:00 GMT',
      ]);
      client.destroy();
    });

    it('has a Date even if the endpoint sends none', async () => {
      const { client, endpoint } = await meet(get());
      endpoint.write(OK);
      const date = Date.parse(headerOf(await client.head(), 'date') ?? '');
      assert.ok(Math.abs(date - Date.now()) < 10_000);
      client.destroy();
    });

    it('begins with the interim responses of the endpoint', async () => {
      const { client, endpoint } = await meet(get());
      endpoint.write(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n',
      );
      const early = await client.head();
      assert.match(early.startLine, /^HTTP\/1.1 103 /);
      assert.deepEqual(early.headers, [['Link', '</a.css>; rel=preload']]);
      endpoint.write(OK);
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });

    it('has no interim response in HTTP/1.0', async () => {
      const { client, endpoint } = await meet('GET / HTTP/1.0\r\n\r\n');
      endpoint.write(`HTTP/1.1 103 Early Hints\r\n\r\n${OK}`);
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });

    it('ends with trailers in both directions', async () => {
      const { client, endpoint, head } = await meet(
        `${request('POST', 'TE: trailers', 'Connection: TE', 'Trailer: X-Sum', 'Transfer-Encoding: chunked')}2\r\nab\r\n0\r\nX-Sum: 1\r\nX-Forwarded-For: 192.0.2.1\r\nX_Sum: 2\r\n\r\n`,
      );
      assert.equal(headerOf(head, 'trailer'), 'X-Sum');
      assert.equal(headerOf(head, 'te'), 'trailers');
      assert.equal(headerOf(head, 'connection'), 'TE');
      const sent = '2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n';
      assert.equal((await endpoint.bytes(sent.length)).toString(), sent);
      endpoint.write(
        `${CHUNKED.replace('\r\n\r\n', '\r\nTrailer: X-End\r\n\r\n')}2\r\ncd\r\n0\r\nX-End: 3\r\nSet-Cookie: a=1\r\n\r\n`,
      );
      const answer = await client.head();
      assert.equal(headerOf(answer, 'trailer'), 'X-End');
      const wanted = '2\r\ncd\r\n0\r\nX-End: 3\r\n\r\n';
      assert.equal((await client.bytes(wanted.length)).toString(), wanted);
      client.destroy();
    });

    it('has its head before its body, if the body is late', async () => {
      const { client, endpoint } = await meet(get());
      endpoint.write(CHUNKED);
      assert.match((await client.head()).startLine, / 200 /);
      endpoint.write('1\r\na\r\n0\r\n\r\n');
      assert.equal((await client.bytes(11)).toString(), '1\r\na\r\n0\r\n\r\n');
      client.destroy();
    });

    it('has the head of an event stream at once, and no comment', async () => {
      const { client, endpoint } = await meet(get());
      endpoint.write(CHUNKED.replace('\r\n', '\r\nContent-Type: text/event-stream\r\n'));
      await client.head();
      endpoint.write('9\r\ndata: 1\n\n\r\n');
      assert.equal((await client.bytes(14)).toString(), '9\r\ndata: 1\n\n\r\n');
      client.destroy();
    });

    it('of HTTP/1.0 needs no host, and ends with the connection', async () => {
      const { client, endpoint, head } = await meet('GET /a HTTP/1.0\r\n\r\n');
      assert.deepEqual([head.startLine, headerOf(head, 'host')], ['GET /a HTTP/1.1', 'app']);
      endpoint.write(`${CHUNKED}2\r\nab\r\n1\r\nc\r\n0\r\nX-End: 1\r\n\r\n`);
      const answer = await client.head();
      assert.deepEqual(linesOf(answer, 'Transfer-Encoding', 'Content-Length'), []);
      assert.equal((await client.rest()).toString(), 'abc');
    });

    it('may ask about the server as a whole', async () => {
      const { client, endpoint, head } = await meet('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(head.startLine, 'OPTIONS * HTTP/1.1');
      endpoint.write('HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n');
      assert.equal(headerOf(await client.head(), 'allow'), 'GET');
      client.destroy();
    });

    it('may name its target in full', async () => {
      const { client, endpoint, head } = await meet(
        'GET http://b.example:8080/x?y HTTP/1.1\r\nHost: a\r\n\r\n',
      );
      assert.deepEqual([head.startLine, headerOf(head, 'host')], ['GET /x?y HTTP/1.1', 'b.example:8080']);
      endpoint.write(OK);
      await client.head();
      client.destroy();
    });

    it('that becomes a WebSocket agrees on extensions from end to end', async () => {
      const offer = 'x-a; b=1, permessage-deflate; client_max_window_bits';
      const { client, endpoint, head } = await meet(
        upgradeRequest('a', [`Sec-WebSocket-Extensions: ${offer}`]),
      );
      assert.equal(headerOf(head, 'sec-websocket-extensions'), offer);
      endpoint.write(switchingProtocols(head, ['Sec-WebSocket-Extensions: permessage-deflate']));
      const answer = await client.head();
      assert.match(answer.startLine, / 101 /);
      assert.equal(headerOf(answer, 'sec-websocket-extensions'), 'permessage-deflate');
      client.destroy();
    });

    it('is refused as a WebSocket if the endpoint chooses a subprotocol that was not offered', async () => {
      const { client, endpoint, head } = await meet(upgradeRequest('a'));
      endpoint.write(switchingProtocols(head, ['Sec-WebSocket-Extensions: permessage-deflate']));
      assert.match((await client.head()).startLine, / 502 /);
      client.destroy();
    });

    it('offers no extension with compression: off', async () => {
      raw.clear();
      const client = await RawConnection.connect(rig.address('plain'));
      client.write(upgradeRequest('a', ['Sec-WebSocket-Extensions: permessage-deflate']));
      const { connection, head } = await raw.request();
      assert.equal(headerOf(head, 'sec-websocket-extensions'), undefined);
      connection.write(switchingProtocols(head));
      assert.equal(headerOf(await client.head(), 'sec-websocket-extensions'), undefined);
      client.destroy();
    });

    it('that asks to upgrade in HTTP/1.0 is plain HTTP', async () => {
      const { client, endpoint, head } = await meet(upgradeRequest('a').replace('HTTP/1.1', 'HTTP/1.0'));
      assert.equal(headerOf(head, 'upgrade'), undefined);
      endpoint.write(OK);
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });
  });
}
