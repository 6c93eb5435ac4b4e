/** Answers to clients if the endpoint's response breaks, or is odd but clear. */
import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const GZIP = CHUNKED.replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n');
const EVENTS = CHUNKED.replace('\r\n\r\n', '\r\nContent-Type: text/event-stream\r\n\r\n');

/** The endpoint's bytes before it closes: in one write or in two. */
const BROKEN: Readonly<Record<string, readonly [string, string]>> = {
  length: [LENGTH, ''],
  chunks: [CHUNKED, ''],
  gzip: [GZIP, ''],
  'no-chunk': [CHUNKED + 'zz\r\n', ''],
  'size-cut': [CHUNKED + '5', ''],
  'no-chunk-behind-a-chunk': [CHUNKED + '5\r\nhello\r\nzz\r\n', ''],
  'head-then-fin': [LENGTH, 'FIN'],
  'chunks-then-fin': [CHUNKED, 'FIN'],
  'head-then-no-chunk': [CHUNKED, 'zz\r\n'],
  'head-then-reset': [LENGTH, 'RST'],
};

/** Responses that nginx and HAProxy pass on, and the status and body that the client gets. */
const ODD: Readonly<Record<string, readonly [text: string, status: number, body: string]>> = {
  spaces: [`${CHUNKED}5   \r\nhello\r\n0  \r\n\r\n`, 200, 'hello'],
  tabs: [`${CHUNKED}5\t\r\nhello\r\n0\r\n\r\n`, 200, 'hello'],
  zeros: [`${CHUNKED}${'0'.repeat(20)}5\r\nhello\r\n00000000\r\n\r\n`, 200, 'hello'],
  lengths: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
  list: ['HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello', 200, 'hello'],
  'status-600': ['HTTP/1.1 600 Odd\r\nContent-Length: 5\r\n\r\nhello', 600, 'hello'],
  'status-999': [`HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nno`, 999, 'no'],
};

describe('a response of an endpoint', () => {
  /** How often each path was asked for. */
  const asked = new Map<string, number>();
  let endpoint: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await RawEndpoint.listen(async (connection) => {
      for (;;) {
        const { startLine } = await connection.head().catch(() => ({ startLine: '' }));
        const [, path = ''] = startLine.split(' ');
        if (path === '') return;
        asked.set(path, (asked.get(path) ?? 0) + 1);
        const name = path.slice(1);
        if (name === 'warm') {
          connection.write(OK);
        } else if (name in ODD) {
          connection.write(ODD[name]![0]);
        } else if (name === 'events') {
          connection.socket.end(EVENTS);
          return;
        } else {
          const [first, second] = BROKEN[name]!;
          connection.write(first);
          // Lets the proxy read the two one by one.
          if (second !== '') await new Promise((settle) => setTimeout(settle, 20));
          if (second === 'RST') connection.socket.resetAndDestroy();
          else connection.socket.end(second === 'FIN' ? '' : second, 'latin1');
          return;
        }
      }
    });
    rig = await WebRig.start({
      listeners: { web: {} },
      clusters: { app: { endpoints: [endpoint.address], retries: 3 } },
    });
  });
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  function countOf(path: string): number {
    return asked.get(path) ?? 0;
  }

  describe('that breaks before any of its body', () => {
    for (const name of Object.keys(BROKEN)) {
      it(`is 502 for Node's agent, and its POST runs once on a connection in use: ${name}`, async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const send = async (path: string): Promise<readonly [number, boolean]> => {
          const request = httpRequest(`http://${rig.address('web')}${path}`, { method: 'POST', agent });
          request.end('x');
          const response = await within(
            'the response',
            new Promise<IncomingMessage>((settle, fail) => {
              request.once('response', settle);
              request.once('error', fail);
            }),
          );
          await within('the body', buffer(response));
          return [response.statusCode!, request.reusedSocket];
        };
        assert.deepEqual(await send('/warm'), [200, false]);
        const runs = countOf(`/${name}`);
        assert.deepEqual(await send(`/${name}`), [502, true]);
        assert.equal(countOf(`/${name}`), runs + 1);
        agent.destroy();
        await rig.sluice.waitForLog(
          ({ msg, path, status, cut }) =>
            msg === 'request' && path === `/${name}` && status === 502 && cut === undefined,
        );
      });
    }

    it('is 502 for curl, and its POST runs once on a connection in use', async () => {
      const url = `http://${rig.address('web')}`;
      const names = ['length', 'chunks', 'no-chunk'];
      const before = names.map((name) => countOf(`/${name}`));
      const post = (name: string): string[] => [
        '--data',
        'x',
        '--output',
        '/dev/null',
        '--write-out',
        '%{http_code} ',
        `${url}/${name}`,
      ];
      const args = names.flatMap((name) => [...post('warm'), '--next', ...post(name), '--next']);
      const { stdout } = await runCommand('curl', ['--silent', ...args.slice(0, -1)]);
      assert.equal(stdout, '200 502 '.repeat(names.length));
      assert.deepEqual(
        names.map((name) => countOf(`/${name}`)),
        before.map((count) => count + 1),
      );
    });
  });

  it('is cut, counted and logged if it breaks after its head', async () => {
    const client = await RawConnection.connect(rig.address('web'));
    client.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match((await client.head()).startLine, / 200 /);
    // The engine uws brings the head with a comment.
    assert.match((await client.rest()).toString(), /^(?:3\r\n:\n\n(?:\r\n)?)?$/);
    await rig.sluice.waitForLog(
      ({ msg, path, status, cut }) =>
        msg === 'request' && path === '/events' && status === 200 && cut === 'endpoint',
    );
    await eventually(async () => {
      const metrics = await rig.scrape();
      assert.equal(metrics.sum('sluice_http_responses_cut_total'), 1);
      assert.equal(
        metrics.sum('sluice_http_responses_cut_total', { listener: 'web', reason: 'endpoint' }),
        1,
      );
    });
  });

  describe('that is odd but clear reaches the client', () => {
    for (const [name, [, status, body]] of Object.entries(ODD)) {
      it(name, async () => {
        const client = await RawConnection.connect(rig.address('web'));
        client.write(`GET /${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        const text = (await client.rest()).toString();
        assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
        assert.ok(text.includes(body), text);
        const upgrade = await RawConnection.connect(rig.address('web'));
        upgrade.write(upgradeRequest('a', [], `/${name}`));
        assert.match((await upgrade.head()).startLine, new RegExp(`^HTTP/1.1 ${status}( |$)`));
        assert.equal((await upgrade.bytes(body.length)).toString(), body);
        upgrade.destroy();
      });
    }

    it('and a status from 600 on counts as other, and not as a failure of the endpoint', async () => {
      await eventually(async () => {
        const metrics = await rig.scrape();
        assert.equal(metrics.sum('sluice_http_requests_total', { code: 'other' }), 2);
        assert.equal(metrics.sum('sluice_endpoint_server_errors_total'), 0);
      });
    });
  });
});

describe('the end of the grace period', () => {
  let endpoint: RawEndpoint;

  before(async () => {
    endpoint = await RawEndpoint.listen();
  });
  after(() => endpoint.close());

  it('answers a request that waits for its endpoint: 503, whatever its framing', async () => {
    const sluice = await startSluice({
      config: {
        admin: { address: '127.0.0.1:0' },
        workers: { l7: 1, l4: 1 },
        shutdown: { grace: '100ms' },
        listeners: [
          { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [{ match: {}, cluster: 'app' }] },
        ],
        clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
      },
    });
    const clients: RawConnection[] = [];
    for (const framing of [
      'Content-Length: 1\r\n\r\nx',
      'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    ]) {
      const client = await RawConnection.connect(sluice.address('web'));
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}`);
      await endpoint.request();
      clients.push(client);
    }
    const stopped = sluice.stop();
    for (const client of clients) assert.match((await client.head()).startLine, / 503 /);
    assert.deepEqual(await stopped, { code: 0, signal: null });
  });
});
