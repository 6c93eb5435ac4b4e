import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { HttpFaultRig, OK, UNFINISHED, expectStatus, request } from '../../support/rigs/http-fault-rig.ts';
import { headerOf } from '../../support/sockets/raw-connection.ts';

describe('plain HTTP after a fault', () => {
  let rig: HttpFaultRig;

  before(async () => {
    rig = await HttpFaultRig.start();
  });
  afterEach(() => rig.clear());
  after(() => rig.stop());

  describe('a response that is not whole is seen to be cut', () => {
    for (const [what, answer, isReset] of [
      ['with a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc', false],
      ['with a known length, by a reset', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc', true],
      ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', false],
      ['in chunks, by a reset', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', true],
      ['until the end, by a reset', 'HTTP/1.1 200 OK\r\n\r\nabc', true],
    ] as const) {
      it(what, async () => {
        const { client, endpoint } = await rig.meet(request('GET', '/one'));
        endpoint.write(answer);
        const head = await expectStatus(client, 200);
        const isChunked = headerOf(head, 'transfer-encoding') === 'chunked';
        await client.bytes(isChunked ? 6 : 3);
        if (isReset) endpoint.socket.resetAndDestroy();
        else endpoint.socket.end();
        assert.doesNotMatch((await client.rest()).toString(), /0\r\n\r\n$/);
      });
    }

    it('if its chunks are broken', async () => {
      const { client, endpoint } = await rig.meet(request('GET', '/one'));
      endpoint.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await expectStatus(client, 200);
      await client.bytes(6);
      endpoint.write('zz\r\nabc\r\n0\r\n\r\n');
      assert.doesNotMatch((await client.rest()).toString(), /0\r\n\r\n$/);
    });

    it('if no more bytes arrive', async () => {
      const { client, endpoint } = await rig.meet(request('GET', '/one'), 'hasty');
      endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      await expectStatus(client, 200);
      assert.equal((await client.rest()).toString(), 'abc');
      await endpoint.closed;
    });
  });

  describe('the endpoint is released when the client leaves', () => {
    const length = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc';
    for (const [what, listener, text, answer] of [
      ['before the answer', 'web', request('GET', '/one'), ''],
      [
        'in the middle of chunks of the answer',
        'web',
        request('GET', '/one'),
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      ],
      // uWS takes FIN for the end of the client. It may have closed one direction only, and within a body of known length
      // nothing can be sent that would tell: idleTimeout ends the request.
      ['in the middle of the answer, on uws', 'uws', request('GET', '/one'), length],
      ['in the middle of the answer, at the idle timeout', 'hasty', request('GET', '/one'), length],
      ['in the middle of its request', 'web', UNFINISHED, ''],
      [
        'in the middle of chunks',
        'web',
        `${request('POST', '/one', 'Transfer-Encoding: chunked')}4e20\r\n${'x'.repeat(20_000)}\r\n`,
        '',
      ],
    ] as const) {
      it(what, async () => {
        const { client, endpoint } = await rig.meet(text, listener);
        if (answer !== '') {
          endpoint.write(answer);
          await client.head();
        }
        client.destroy();
        await within('the end of the connection to the endpoint', endpoint.closed, 30_000);
      });
    }
  });

  describe('the endpoint is released at once when the client resets its connection', () => {
    const length = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc';
    const get = request('GET', '/one');
    const old = get.replace('HTTP/1.1', 'HTTP/1.0');
    for (const [what, text, answer] of [
      ['before the answer', get, ''],
      ['before the answer, and speaks HTTP/1.0', old, ''],
      ['before the answer, with requests behind', get.repeat(300), ''],
      ['in the middle of the answer', get, length],
      ['in the middle of the answer, and speaks HTTP/1.0', old, length],
      ['in the middle of its request', UNFINISHED, ''],
    ] as const) {
      for (const listener of ['web', 'net']) {
        it(`${what} (${listener})`, async () => {
          const { client, endpoint } = await rig.meet(text, listener);
          if (answer !== '') {
            endpoint.write(answer);
            await client.head();
          }
          client.socket.resetAndDestroy();
          await within('the end of the connection to the endpoint', endpoint.closed, 10_000);
        });
      }
    }
  });

  describe('a connection to an endpoint', () => {
    /** Whether the request behind an exchange that ended so comes on the same connection. */
    async function isReused(text: string, answer: string, listener = 'web'): Promise<boolean> {
      const { client, endpoint } = await rig.meet(text, listener);
      endpoint.write(answer);
      await expectStatus(client, 200);
      // The proxy has dealt with all of the answer when it has given the endpoint back.
      await eventually(async () => {
        assert.equal((await rig.web.scrape()).sum('sluice_endpoint_connections_active'), 0);
      });
      client.destroy();
      const before = endpoint.socket.bytesRead;
      const next = await rig.send(request('GET', '/one'), listener);
      const isSame = await eventually(() => {
        if (rig.first.connections.waiting > 0) return false;
        if (endpoint.socket.bytesRead > before) return true;
        throw new Error('the next request does not come');
      });
      const connection = isSame ? endpoint : await rig.first.connections.next();
      connection.write(OK);
      await expectStatus(next, 200);
      next.destroy();
      return isSame;
    }
    const post = `${request('POST', '/one', 'Content-Length: 3')}abc`;

    for (const [what, text, answer] of [
      ['a length', request('GET', '/one'), OK],
      ['chunks', request('GET', '/one'), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['no body', request('HEAD', '/one'), 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
      ['an upload that arrived whole', post, OK],
    ] as const) {
      it(`carries the next request after ${what}`, async () => {
        assert.equal(await isReused(text, answer), true);
      });
    }

    for (const [what, text, answer, listener] of [
      [
        'that the endpoint wants to end',
        request('GET', '/one'),
        `${OK.slice(0, -6)}\r\nConnection: close\r\n\r\nok`,
        'web',
      ],
      ['of HTTP/1.0', request('GET', '/one'), OK.replace('1.1', '1.0'), 'web'],
      [
        'on which more bytes arrived than requested',
        request('GET', '/one'),
        `${OK}HTTP/1.1 200 OK\r\n`,
        'web',
      ],
      ['on which an upload has not ended', UNFINISHED, OK, 'web'],
      ['where none are kept', request('GET', '/one'), OK, 'brief'],
    ] as const) {
      it(`carries no other request: one ${what}`, async () => {
        assert.equal(await isReused(text, answer, listener), false);
      });
    }

    it('announces its last request if no connections are kept', async () => {
      const { client, endpoint, head } = await rig.meet(request('GET', '/one'), 'brief');
      assert.equal(headerOf(head, 'connection'), 'close');
      endpoint.write(OK);
      await expectStatus(client, 200);
      client.destroy();
    });

    it('is closed after its idle timeout, or if the endpoint sends unrequested bytes', async () => {
      for (const unasked of ['', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n']) {
        const { client, endpoint } = await rig.meet(request('GET', '/one'));
        endpoint.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=2\r\n\r\n'));
        await expectStatus(client, 200);
        client.destroy();
        if (unasked !== '') endpoint.write(unasked);
        await endpoint.closed;
      }
    });

    it('is replaced without notice for repeatable requests if it was closed while idle', async () => {
      for (let round = 0; round < 5; round++) {
        const { client, endpoint } = await rig.meet(request('GET', '/one'));
        endpoint.write(OK);
        await expectStatus(client, 200);
        client.write(request('GET', '/one'));
        await endpoint.head();
        // As an endpoint does that has just given it up.
        endpoint.destroy();
        const { connection } = await rig.first.request();
        connection.write(OK);
        assert.equal((await client.bytes(2)).toString(), 'ok');
        await expectStatus(client, 200);
        client.destroy();
        rig.first.clear();
      }
    });
  });
});
