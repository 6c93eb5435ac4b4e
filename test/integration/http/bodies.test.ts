/** The bodies of requests and responses, byte by byte on both sides of a proxy. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { get, rawClient, request } from '../../support/http/raw-client.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { headerOf } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const LARGE = Buffer.from(Uint8Array.from({ length: 8_000_000 }, (_, index) => (index * index) % 251));
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('bodies through a proxy', () => {
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    raw = await RawEndpoint.listen();
    rig = await WebRig.start({
      listeners: { web: { routes: [{ match: {}, cluster: 'raw' }] } },
      clusters: { raw: { endpoints: [raw.address] } },
    });
  });
  after(async () => {
    raw.close();
    await rig.stop();
  });

  const { send, meet } = rawClient(
    () => raw,
    () => rig.address('web'),
  );

  describe('the body of a response', () => {
    it('is forwarded as it is sent, in chunks, up to the last chunk', async () => {
      const { client, endpoint } = await meet(get());
      endpoint.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      const head = await client.head();
      assert.equal(headerOf(head, 'transfer-encoding'), 'chunked');
      assert.equal(headerOf(head, 'content-length'), undefined);
      assert.equal((await client.bytes(6)).toString(), '3\r\nabc');
      endpoint.write('4;b=c\r\ndefg\r\n0\r\n\r\n');
      assert.equal((await client.bytes(16)).toString(), '\r\n4\r\ndefg\r\n0\r\n\r\n');
      client.destroy();
    });

    it('keeps its length, and is forwarded as it is sent', async () => {
      const { client, endpoint } = await meet(get());
      endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      const head = await client.head();
      assert.equal(headerOf(head, 'content-length'), '6');
      assert.equal(headerOf(head, 'transfer-encoding'), undefined);
      assert.equal((await client.bytes(3)).toString(), 'abc');
      endpoint.write('def');
      assert.equal((await client.bytes(3)).toString(), 'def');
      client.destroy();
    });

    it('may last until the endpoint closes, and ends in order for the client', async () => {
      for (const version of ['1.1', '1.0']) {
        const { client, endpoint } = await meet(get());
        endpoint.write(`HTTP/${version} 200 OK\r\n\r\nabc`);
        await client.head();
        endpoint.socket.end('def');
        assert.match((await client.bytes(21)).toString(), /^3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n$/);
        client.write(get());
        (await raw.request()).connection.write(OK);
        assert.match((await client.head()).startLine, / 200 /);
        client.destroy();
      }
    });

    it('is empty for a HEAD, a 204 and a 304, whatever their heads say', async () => {
      for (const [method, answer, length] of [
        ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', '1000'],
        ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', undefined],
        ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', undefined],
        ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 7\r\n\r\n', '7'],
      ] as const) {
        const { client, endpoint } = await meet(request(method));
        endpoint.write(answer);
        const head = await client.head();
        assert.equal(head.startLine.split(' ')[1], answer.split(' ')[1]);
        assert.equal(headerOf(head, 'content-length'), length);
        // The connections on either side are at their next request.
        client.write(get());
        await endpoint.head();
        endpoint.write(OK);
        assert.match((await client.head()).startLine, / 200 /);
        assert.equal((await client.bytes(2)).toString(), 'ok');
        client.destroy();
      }
    });

    it('is forwarded at once if it is an event stream, its head too', async () => {
      const { client, endpoint } = await meet(get('Accept: text/event-stream'));
      endpoint.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      assert.equal(headerOf(await client.head(), 'content-type'), 'text/event-stream');
      client.destroy();
    });

    it('arrives unchanged, with 8 MB, at a client that reads slowly', async () => {
      const { client, endpoint } = await meet(get());
      client.socket.pause();
      endpoint.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\n\r\n`);
      endpoint.socket.write(LARGE);
      client.socket.resume();
      await client.head();
      assert.ok((await client.bytes(LARGE.length)).equals(LARGE));
      client.destroy();
    });
  });

  describe('the body of a request', () => {
    it('is streamed from 16 KiB on, with its length or in chunks', async () => {
      const size = 16 * 1024;
      for (const [line, first, second] of [
        [`Content-Length: ${size + 3}`, 'x'.repeat(size), 'def'],
        ['Transfer-Encoding: chunked', `4000\r\n${'x'.repeat(size)}\r\n`, '3\r\ndef\r\n0\r\n\r\n'],
      ] as const) {
        const { client, endpoint } = await meet(request('POST', line) + first);
        // Chunks may be cut differently.
        for (let found = 0; found < size;) if ((await endpoint.bytes(1)).toString() === 'x') found++;
        client.write(second);
        const behind = line.startsWith('Transfer') ? `\r\n${second}` : second;
        assert.equal((await endpoint.bytes(behind.length)).toString(), behind);
        endpoint.write(OK);
        assert.match((await client.head()).startLine, / 200 /);
        client.destroy();
      }
    });

    it('arrives unchanged, with 8 MB, at an endpoint that reads slowly', async () => {
      const client = await send(request('PUT', `Content-Length: ${LARGE.length}`));
      client.socket.write(LARGE.subarray(0, 20_000));
      const { connection: endpoint } = await raw.request();
      endpoint.socket.pause();
      client.socket.write(LARGE.subarray(20_000));
      endpoint.socket.resume();
      assert.ok((await endpoint.bytes(LARGE.length)).equals(LARGE));
      endpoint.write(OK);
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });

    it('may be answered before it is complete, and its rest is discarded', async () => {
      const { client, endpoint } = await meet(request('POST', 'Content-Length: 20003') + 'x'.repeat(20_000));
      endpoint.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      assert.match((await client.head()).startLine, / 403 /);
      // Half of a request lies on that connection: it is used no more.
      await endpoint.closed;
      client.write(`def${get()}`);
      (await raw.request()).connection.write(OK);
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });

    it('is requested with 100 Continue if the client expects it', async () => {
      const client = await send(request('POST', 'Content-Length: 3', 'Expect: 100-continue'));
      assert.match((await client.head()).startLine, / 100 /);
      client.write('abc');
      const { connection: endpoint, head } = await raw.request();
      assert.equal(headerOf(head, 'expect'), undefined);
      assert.equal((await endpoint.bytes(3)).toString(), 'abc');
      endpoint.write(OK);
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });
  });
});
