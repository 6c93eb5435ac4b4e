import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { RawConnection, headerOf, type RawHead } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A client that writes bytes, and its request at the endpoint. */
interface Exchange {
  readonly client: RawConnection;
  readonly endpoint: RawConnection;
  readonly head: RawHead;
}

describe('plain HTTP where something fails', () => {
  let first: RawEndpoint;
  let second: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    first = await RawEndpoint.listen();
    second = await RawEndpoint.listen();
    const [nobody] = await freePorts(1);
    const to = (path: string, cluster: string): object => ({ match: { path }, cluster });
    const routes = [
      to('/one', 'one'),
      to('/two', 'two'),
      to('/gone', 'gone'),
      to('/spare', 'spare'),
      to('/unbudgeted', 'unbudgeted'),
      to('/full', 'full'),
    ];
    const pair = [first.address, second.address];
    const gone = `127.0.0.1:${nobody!}`;
    rig = await WebRig.start({
      listeners: {
        web: { routes },
        hasty: { routes, http: { requestTimeout: '1s', idleTimeout: '1s' } },
        brief: { routes, http: { keepAlive: '0s', maxBodySize: '10B' } },
        roomy: { routes, http: { maxBodySize: '20003B' } },
      },
      clusters: {
        one: { endpoints: [first.address] },
        two: { endpoints: pair, balancer: 'round_robin', retries: 1, outlier: { consecutiveFailures: 1000 } },
        gone: { endpoints: [gone] },
        spare: { endpoints: [gone, first.address], balancer: 'round_robin' },
        unbudgeted: { endpoints: pair, retryBudget: { percent: 0, minPerSecond: 0 } },
        full: { endpoints: [first.address], maxConnections: 1 },
      },
    });
  });
  afterEach(async () => {
    for (const endpoint of [first, second]) {
      endpoint.clear();
      while (endpoint.connections.waiting > 0) (await endpoint.connections.next()).destroy();
    }
  });
  after(async () => {
    first.close();
    second.close();
    await rig.stop();
  });

  const request = (method: string, path: string, ...lines: string[]): string =>
    [`${method} ${path} HTTP/1.1`, 'Host: app.example', ...lines, '', ''].join('\r\n');

  /** Enough of a body that an endpoint is asked. */
  const unfinished = request('POST', '/one', 'Content-Length: 20003') + 'x'.repeat(20_000);

  async function send(text: string, listener = 'web'): Promise<RawConnection> {
    const client = await RawConnection.connect(rig.address(listener));
    client.write(text);
    return client;
  }

  /** Sends a request, and waits for it at the first endpoint. */
  async function meet(text: string, listener = 'web'): Promise<Exchange> {
    const client = await send(text, listener);
    const { connection, head } = await first.request();
    return { client, endpoint: connection, head };
  }

  async function expectStatus(client: RawConnection, status: number): Promise<RawHead> {
    const head = await client.head();
    assert.equal(head.startLine.split(' ')[1], String(status));
    return head;
  }

  /** Whichever of the two endpoints is asked next. */
  async function asked(): Promise<{ endpoint: RawEndpoint; connection: RawConnection }> {
    const endpoint = await eventually(() => {
      const found = [first, second].find(({ connections }) => connections.waiting > 0);
      if (found === undefined) throw new Error('no endpoint is asked');
      return found;
    });
    const { connection } = await endpoint.request();
    return { endpoint, connection };
  }

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
      it(`for a ${what} that has got no answer`, async () => {
        const client = await send(text);
        const { endpoint, connection } = await asked();
        connection.destroy();
        const again = await asked();
        assert.notEqual(again.endpoint, endpoint);
        assert.equal((await again.connection.bytes(body.length)).toString(), body);
        again.connection.write(what === 'HEAD' ? OK.slice(0, -2) : OK);
        await expectStatus(client, 200);
        client.destroy();
      });
    }

    it('where the first cannot be reached, whatever the method', async () => {
      // One of two turns is the unreachable one's.
      for (let turn = 0; turn < 2; turn++) {
        const { client, endpoint } = await meet(`${request('POST', '/spare', 'Content-Length: 3')}abc`);
        assert.equal((await endpoint.bytes(3)).toString(), 'abc');
        endpoint.write(OK);
        await expectStatus(client, 200);
        client.destroy();
        first.clear();
      }
      const metrics = await rig.scrape();
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
        const client = await send(text);
        const { connection } = await asked();
        if (what.includes('PUT')) await connection.bytes(70_000);
        if (beginning !== '') connection.socket.end(beginning);
        else connection.destroy();
        const { startLine } = await client.head();
        assert.match(startLine, / 50[23] /);
        client.destroy();
      });
    }

    it('only so often: 502', async () => {
      const client = await send(request('GET', '/two'));
      (await asked()).connection.destroy();
      (await asked()).connection.destroy();
      await expectStatus(client, 502);
      client.destroy();
    });
  });

  describe('the client is told', () => {
    it('502 where nobody listens', async () => {
      const client = await send(request('GET', '/gone'));
      await expectStatus(client, 502);
      client.destroy();
    });

    it('503 and when to come again, where the cluster is full', async () => {
      const one = await meet(request('GET', '/full'));
      const client = await send(request('GET', '/full'));
      const head = await expectStatus(client, 503);
      assert.equal(headerOf(head, 'retry-after'), '1');
      client.destroy();
      one.client.destroy();
      await one.endpoint.closed;
    });

    it('504 where the endpoint does not answer in time, and it is let go', async () => {
      const { client, endpoint } = await meet(request('GET', '/one'), 'hasty');
      await expectStatus(client, 504);
      await endpoint.closed;
      client.destroy();
    });

    it('408 where the body does not come in time, and no endpoint is asked before 16 KiB of it are there', async () => {
      const early = await send(`${request('POST', '/one', 'Content-Length: 6')}abc`, 'hasty');
      assert.equal(headerOf(await expectStatus(early, 408), 'connection'), 'close');
      await early.closed;
      assert.equal(first.connections.waiting, 0);
      const { client, endpoint } = await meet(unfinished, 'hasty');
      const head = await expectStatus(client, 408);
      assert.equal(headerOf(head, 'connection'), 'close');
      await Promise.all([client.closed, endpoint.closed]);
      const refused = { listener: 'hasty', reason: 'body_idle' };
      assert.equal((await rig.scrape()).sum('sluice_http_requests_refused_total', refused), 2);
    });

    it('nothing of clients that send a byte of a body and wait: they hold no connection of the cluster', async () => {
      const slow: RawConnection[] = [];
      for (let count = 0; count < 10; count++) {
        slow.push(await send(`${request('POST', '/full', 'Content-Length: 100')}x`));
      }
      // Their bytes have been seen.
      await eventually(async () => {
        assert.equal((await rig.scrape()).sum('sluice_ws_buffered_bytes', { direction: 'upstream' }), 10);
      });
      for (const text of [request('GET', '/full'), `${request('POST', '/full', 'Content-Length: 3')}abc`]) {
        const { client, endpoint } = await meet(text);
        endpoint.write(OK);
        await expectStatus(client, 200);
        client.destroy();
        await eventually(async () => {
          assert.equal((await rig.scrape()).sum('sluice_endpoint_connections_active'), 0);
        });
        first.clear();
      }
      for (const client of slow) client.destroy();
      await eventually(async () => {
        assert.equal((await rig.scrape()).sum('sluice_ws_buffered_bytes', { direction: 'upstream' }), 0);
      });
    });

    it('413 where the body is too large, as soon as that is known', async () => {
      const known = await send(request('POST', '/one', 'Content-Length: 11'), 'brief');
      await expectStatus(known, 413);
      await known.closed;
      const chunked = request('POST', '/one', 'Transfer-Encoding: chunked');
      const small = await send(`${chunked}6\r\nabcdef\r\n`, 'brief');
      small.write('5\r\nghijk\r\n');
      await expectStatus(small, 413);
      await small.closed;
      const { client, endpoint } = await meet(`${chunked}4e20\r\n${'x'.repeat(20_000)}\r\n`, 'roomy');
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
      ['17 interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17) + OK],
    ] as const) {
      it(`502 where the endpoint answers with ${what}`, async () => {
        const { client, endpoint } = await meet(request('POST', '/one', 'Content-Length: 0'));
        endpoint.write(answer);
        await expectStatus(client, 502);
        await endpoint.closed;
        client.destroy();
      });
    }
  });

  describe('a response that is not whole is seen to be cut', () => {
    for (const [what, answer, isReset] of [
      ['of a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc', false],
      ['of a known length, by a reset', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc', true],
      ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', false],
      ['in chunks, by a reset', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', true],
      ['until the end, by a reset', 'HTTP/1.1 200 OK\r\n\r\nabc', true],
    ] as const) {
      it(what, async () => {
        const { client, endpoint } = await meet(request('GET', '/one'));
        endpoint.write(answer);
        const head = await expectStatus(client, 200);
        const isChunked = headerOf(head, 'transfer-encoding') === 'chunked';
        await client.bytes(isChunked ? 6 : 3);
        if (isReset) endpoint.socket.resetAndDestroy();
        else endpoint.socket.end();
        assert.doesNotMatch((await client.rest()).toString(), /0\r\n\r\n$/);
      });
    }

    it('where its chunks are broken', async () => {
      const { client, endpoint } = await meet(request('GET', '/one'));
      endpoint.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await expectStatus(client, 200);
      await client.bytes(6);
      endpoint.write('zz\r\nabc\r\n0\r\n\r\n');
      assert.doesNotMatch((await client.rest()).toString(), /0\r\n\r\n$/);
    });

    it('where nothing more comes', async () => {
      const { client, endpoint } = await meet(request('GET', '/one'), 'hasty');
      endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      await expectStatus(client, 200);
      assert.equal((await client.rest()).toString(), 'abc');
      await endpoint.closed;
    });
  });

  describe('the endpoint is let go when the client leaves', () => {
    for (const [what, text, answer] of [
      ['before the answer', request('GET', '/one'), ''],
      [
        'in the middle of the answer',
        request('GET', '/one'),
        'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc',
      ],
      ['in the middle of its request', unfinished, ''],
      [
        'in the middle of chunks',
        `${request('POST', '/one', 'Transfer-Encoding: chunked')}4e20\r\n${'x'.repeat(20_000)}\r\n`,
        '',
      ],
    ] as const) {
      it(what, async () => {
        const { client, endpoint } = await meet(text);
        if (answer !== '') {
          endpoint.write(answer);
          await client.head();
        }
        client.destroy();
        await endpoint.closed;
      });
    }
  });

  describe('a connection to an endpoint', () => {
    /** Whether the request behind an exchange that ended so comes on the same connection. */
    async function isReused(text: string, answer: string, listener = 'web'): Promise<boolean> {
      const { client, endpoint } = await meet(text, listener);
      endpoint.write(answer);
      await expectStatus(client, 200);
      // The proxy has dealt with all of the answer when it has given the endpoint back.
      await eventually(async () => {
        assert.equal((await rig.scrape()).sum('sluice_endpoint_connections_active'), 0);
      });
      client.destroy();
      const before = endpoint.socket.bytesRead;
      const next = await send(request('GET', '/one'), listener);
      const isSame = await eventually(() => {
        if (first.connections.waiting > 0) return false;
        if (endpoint.socket.bytesRead > before) return true;
        throw new Error('the next request does not come');
      });
      const connection = isSame ? endpoint : await first.connections.next();
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
      ['an upload that has come whole', post, OK],
    ] as const) {
      it(`carries the next request behind ${what}`, async () => {
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
        'on which more has come than was asked for',
        request('GET', '/one'),
        `${OK}HTTP/1.1 200 OK\r\n`,
        'web',
      ],
      ['on which an upload has not ended', unfinished, OK, 'web'],
      ['where none are kept', request('GET', '/one'), OK, 'brief'],
    ] as const) {
      it(`carries no other request: one ${what}`, async () => {
        assert.equal(await isReused(text, answer, listener), false);
      });
    }

    it('says that it is the last request where none are kept', async () => {
      const { client, endpoint, head } = await meet(request('GET', '/one'), 'brief');
      assert.equal(headerOf(head, 'connection'), 'close');
      endpoint.write(OK);
      await expectStatus(client, 200);
      client.destroy();
    });

    it('is let go when it has waited long enough, or the endpoint says something unasked', async () => {
      for (const unasked of ['', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n']) {
        const { client, endpoint } = await meet(request('GET', '/one'));
        endpoint.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=2\r\n\r\n'));
        await expectStatus(client, 200);
        client.destroy();
        if (unasked !== '') endpoint.write(unasked);
        await endpoint.closed;
      }
    });

    it('that has been closed meanwhile is replaced, unnoticed, for what may be repeated', async () => {
      for (let round = 0; round < 5; round++) {
        const { client, endpoint } = await meet(request('GET', '/one'));
        endpoint.write(OK);
        await expectStatus(client, 200);
        client.write(request('GET', '/one'));
        await endpoint.head();
        // As an endpoint does that has just given it up.
        endpoint.destroy();
        const { connection } = await first.request();
        connection.write(OK);
        assert.equal((await client.bytes(2)).toString(), 'ok');
        await expectStatus(client, 200);
        client.destroy();
        first.clear();
      }
    });
  });
});
