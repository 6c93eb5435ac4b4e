import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { HttpFaultRig, OK, UNFINISHED, expectStatus, request } from '../../support/rigs/http-fault-rig.ts';
import { headerOf } from '../../support/sockets/raw-connection.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';

describe('plain HTTP after a failed attempt', () => {
  let rig: HttpFaultRig;

  before(async () => {
    rig = await HttpFaultRig.start();
  });
  afterEach(() => rig.clear());
  after(() => rig.stop());

  describe('another endpoint is asked', () => {
    for (const [what, text, body] of [
      ['GET', request('GET', '/two'), ''],
      ['HEAD', request('HEAD', '/two'), ''],
      ['DELETE', request('DELETE', '/two'), ''],
      ['PUT with a small body', `${request('PUT', '/two', 'Content-Length: 3')}abc`, 'abc'],
      [
        'PUT in chunks',
        `${request('PUT', '/two', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
        '3\r\nabc\r\n0\r\n\r\n',
      ],
    ] as const) {
      it(`for a ${what} without an answer`, async () => {
        const client = await rig.send(text);
        const { endpoint, connection } = await rig.asked();
        connection.destroy();
        const again = await rig.asked();
        assert.notEqual(again.endpoint, endpoint);
        assert.equal((await again.connection.bytes(body.length)).toString(), body);
        again.connection.write(what === 'HEAD' ? OK.slice(0, -2) : OK);
        await expectStatus(client, 200);
        client.destroy();
      });
    }

    it('if the first cannot be reached, whatever the method', async () => {
      // One of two turns is the unreachable one's.
      for (let turn = 0; turn < 2; turn++) {
        const { client, endpoint } = await rig.meet(`${request('POST', '/spare', 'Content-Length: 3')}abc`);
        assert.equal((await endpoint.bytes(3)).toString(), 'abc');
        endpoint.write(OK);
        await expectStatus(client, 200);
        client.destroy();
        rig.first.clear();
      }
      const metrics = await rig.web.scrape();
      assert.ok(metrics.sum('sluice_cluster_retries_total', { cluster: 'spare' }) > 0);
    });

    for (const [what, text, beginning] of [
      ['a POST', `${request('POST', '/two', 'Content-Length: 3')}abc`, ''],
      ['a method that nobody knows', request('BREW', '/two'), ''],
      [
        'a PUT of more than is kept',
        request('PUT', '/two', 'Content-Length: 70000') + 'x'.repeat(70_000),
        '',
      ],
      ['a GET that has got the beginning of an answer', request('GET', '/two'), 'HTTP/1.1 2'],
      ['a GET without a budget', request('GET', '/unbudgeted'), ''],
      [
        'a GET with credentials of its connection',
        request('GET', '/two', 'Authorization: Negotiate YII='),
        '',
      ],
    ] as const) {
      it(`not for ${what}: 502, or 503 without a budget`, async () => {
        const client = await rig.send(text);
        const { connection } = await rig.asked();
        if (what.includes('PUT')) await connection.bytes(70_000);
        if (beginning !== '') connection.socket.end(beginning);
        else connection.destroy();
        const { startLine } = await client.head();
        assert.match(startLine, / 50[23] /);
        client.destroy();
      });
    }

    it('only so often: 502', async () => {
      const client = await rig.send(request('GET', '/two'));
      (await rig.asked()).connection.destroy();
      (await rig.asked()).connection.destroy();
      await expectStatus(client, 502);
      client.destroy();
    });
  });

  describe('the client gets', () => {
    it('502 if the endpoint does not listen', async () => {
      const client = await rig.send(request('GET', '/gone'));
      await expectStatus(client, 502);
      client.destroy();
    });

    it('503 with Retry-After if the cluster is full', async () => {
      const one = await rig.meet(request('GET', '/full'));
      const client = await rig.send(request('GET', '/full'));
      const head = await expectStatus(client, 503);
      assert.equal(headerOf(head, 'retry-after'), '1');
      client.destroy();
      one.client.destroy();
      await one.endpoint.closed;
    });

    it('504 if the endpoint does not answer in time, and the endpoint is released', async () => {
      const { client, endpoint } = await rig.meet(request('GET', '/one'), 'hasty');
      await expectStatus(client, 504);
      await endpoint.closed;
      client.destroy();
    });

    it('408 if the body is late, and no endpoint is asked before its first 16 KiB', async () => {
      const early = await rig.send(`${request('POST', '/one', 'Content-Length: 6')}abc`, 'hasty');
      assert.equal(headerOf(await expectStatus(early, 408), 'connection'), 'close');
      await early.closed;
      assert.equal(rig.first.connections.waiting, 0);
      const { client, endpoint } = await rig.meet(UNFINISHED, 'hasty');
      const head = await expectStatus(client, 408);
      assert.equal(headerOf(head, 'connection'), 'close');
      await Promise.all([client.closed, endpoint.closed]);
      const refused = { listener: 'hasty', reason: 'body_idle' };
      assert.equal((await rig.web.scrape()).sum('sluice_http_requests_refused_total', refused), 2);
    });

    it('nothing of clients that send a byte of a body and wait: they hold no connection of the cluster', async () => {
      const slow: RawConnection[] = [];
      for (let count = 0; count < 10; count++) {
        slow.push(await rig.send(`${request('POST', '/full', 'Content-Length: 100')}x`));
      }
      // Their bytes have been seen.
      await eventually(async () => {
        assert.equal((await rig.web.scrape()).sum('sluice_ws_buffered_bytes', { direction: 'upstream' }), 10);
      });
      for (const text of [request('GET', '/full'), `${request('POST', '/full', 'Content-Length: 3')}abc`]) {
        const { client, endpoint } = await rig.meet(text);
        endpoint.write(OK);
        await expectStatus(client, 200);
        client.destroy();
        await eventually(async () => {
          assert.equal((await rig.web.scrape()).sum('sluice_endpoint_connections_active'), 0);
        });
        rig.first.clear();
      }
      for (const client of slow) client.destroy();
      await eventually(async () => {
        assert.equal((await rig.web.scrape()).sum('sluice_ws_buffered_bytes', { direction: 'upstream' }), 0);
      });
    });

    it('413 if the body is too large, as soon as that is known', async () => {
      const known = await rig.send(request('POST', '/one', 'Content-Length: 11'), 'brief');
      await expectStatus(known, 413);
      await known.closed;
      const chunked = request('POST', '/one', 'Transfer-Encoding: chunked');
      const small = await rig.send(`${chunked}6\r\nabcdef\r\n`, 'brief');
      small.write('5\r\nghijk\r\n');
      await expectStatus(small, 413);
      await small.closed;
      const { client, endpoint } = await rig.meet(`${chunked}4e20\r\n${'x'.repeat(20_000)}\r\n`, 'roomy');
      client.write('5\r\nghijk\r\n');
      await expectStatus(client, 413);
      await Promise.all([client.closed, endpoint.closed]);
    });

    for (const [what, answer] of [
      ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
      ['a head with a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
      ['a head with a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
      ['a head with NUL', 'HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
      ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
      [
        'a length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
      ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: b\r\n\r\n'],
      ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}`],
      ['17 interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17) + OK],
    ] as const) {
      it(`502 if the endpoint answers with ${what}`, async () => {
        const { client, endpoint } = await rig.meet(request('POST', '/one', 'Content-Length: 0'));
        endpoint.write(answer);
        await expectStatus(client, 502);
        await endpoint.closed;
        client.destroy();
      });
    }
  });
});
