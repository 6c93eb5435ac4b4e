/** Refusals of a WebSocket handshake in every framing: each is the application's answer, whatever becomes of its body. */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { within } from '../../support/deadline.ts';
import { begin } from '../../support/http/http-endpoint.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { GOOD_CERT, GOOD_KEY } from '../../unit/config/pem.ts';

const HANDSHAKE_TIMEOUT_MS = 600;
const LONG = 'abcdefgh'.repeat(25 * 1024);
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

interface Case {
  readonly what: string;
  /** Head lines and body. */
  readonly answer: string;
  /** The endpoint's action after its answer. */
  readonly then: 'FIN' | 'RST' | 'stays open';
  readonly status: number;
  /** The part of the body that the client gets. */
  readonly body: string;
  /** Headers that the client gets; undefined for none. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Whether the client's connection is cut within the body. */
  readonly cut?: true;
}

function message(...lines: readonly string[]): string {
  return lines.join('\r\n');
}

/** The same answer with each of these ends. */
function endings(
  ends: readonly Case['then'][],
  { what, ...rest }: Omit<Case, 'then' | 'headers'>,
): readonly Case[] {
  const headers = { 'x-app': 'yes', 'content-length': String(rest.body.length) };
  return ends.map((then) => ({ ...rest, what: `${what}, then ${then}`, then, headers }));
}

const OLD = 'HTTP/1.0 404 Not Found';
const UNAUTHORIZED = 'HTTP/1.1 401 Unauthorized';
const CHUNKED = 'Transfer-Encoding: chunked';
const ANY_END = ['FIN', 'RST', 'stays open'] as const;
const CLOSED = ['FIN', 'RST'] as const;

const CASES: readonly Case[] = [
  ...endings(ANY_END, {
    what: 'HTTP/1.0 without a length',
    answer: message(OLD, 'X-App: yes', '', 'no such page'),
    status: 404,
    body: 'no such page',
  }),
  ...endings(ANY_END, {
    what: 'HTTP/1.0 without a length and a body',
    answer: message(OLD, 'X-App: yes', '', ''),
    status: 404,
    body: '',
  }),
  ...endings(ANY_END, {
    what: 'HTTP/1.1 without a length',
    answer: message('HTTP/1.1 403 Forbidden', 'X-App: yes', '', 'no entry'),
    status: 403,
    body: 'no entry',
  }),
  ...endings(ANY_END, {
    what: 'a body shorter than its length',
    answer: message(UNAUTHORIZED, 'X-App: yes', 'Content-Length: 12', '', 'half'),
    status: 401,
    body: 'half',
  }),
  ...endings(CLOSED, {
    what: 'a length without a body',
    answer: message(UNAUTHORIZED, 'X-App: yes', 'Content-Length: 12', '', ''),
    status: 401,
    body: '',
  }),
  ...endings(ANY_END, {
    what: 'chunks that are cut in the middle',
    answer: message(UNAUTHORIZED, 'X-App: yes', CHUNKED, '', '5', 'first', '9', 'sec'),
    status: 401,
    body: 'firstsec',
  }),
  ...endings(CLOSED, {
    what: 'chunks without the last one',
    answer: message(UNAUTHORIZED, 'X-App: yes', CHUNKED, '', '5', 'first', ''),
    status: 401,
    body: 'first',
  }),
  ...endings(['stays open'], {
    what: 'a malformed chunk behind a good one',
    answer: message(UNAUTHORIZED, 'X-App: yes', CHUNKED, '', '5', 'first', 'zz', 'second', ''),
    status: 401,
    body: 'first',
  }),
  ...[
    ['a length that is none', UNAUTHORIZED, 'Content-Length: x'],
    ['two different lengths', UNAUTHORIZED, 'Content-Length: 1', 'Content-Length: 2'],
    ['length and chunks', UNAUTHORIZED, 'Content-Length: 1', CHUNKED],
    ['chunks in HTTP/1.0', 'HTTP/1.0 401 Unauthorized', CHUNKED],
    ['an unknown coding', UNAUTHORIZED, 'Transfer-Encoding: gzip'],
  ].flatMap(([what = '', statusLine = '', ...framing]) =>
    endings(['stays open'], {
      what,
      answer: message(statusLine, 'X-App: yes', ...framing, '', '1', 'x', ''),
      status: 401,
      body: '',
    }),
  ),
  ...endings(['FIN'], {
    what: 'HTTP/1.0 behind an interim response',
    answer: message('HTTP/1.1 103 Early Hints', 'Link: </x>', '', OLD, 'X-App: yes', '', 'none'),
    status: 404,
    body: 'none',
  }),
  ...endings(CLOSED, {
    what: 'a 500 whose body is cut',
    answer: message('HTTP/1.1 500 Oops', 'X-App: yes', 'Content-Length: 12', '', 'half'),
    status: 500,
    body: 'half',
  }),
  ...endings(['stays open'], {
    what: 'a body of 64 KiB and a length',
    answer: message(UNAUTHORIZED, 'X-App: yes', 'Content-Length: 65536', '', LONG.slice(0, 65_536)),
    status: 401,
    body: LONG.slice(0, 65_536),
  }),
  ...endings(['stays open'], {
    what: 'a long body with its length',
    answer: message('HTTP/1.1 200 OK', 'X-App: yes', `Content-Length: ${LONG.length}`, '', LONG),
    status: 200,
    body: LONG,
  }),
  {
    what: 'a long body without a length',
    answer: message(OLD, 'X-App: yes', '', LONG),
    then: 'FIN',
    status: 404,
    body: LONG,
    headers: { 'x-app': 'yes', 'content-length': undefined },
  },
  {
    what: 'a long body in chunks',
    answer: message(UNAUTHORIZED, 'X-App: yes', CHUNKED, '', LONG.length.toString(16), LONG, '0', '', ''),
    then: 'stays open',
    status: 401,
    body: LONG,
    headers: { 'x-app': 'yes', 'content-length': undefined },
  },
  {
    what: 'a long body that is cut: the client sees that it is not whole',
    answer: message(UNAUTHORIZED, 'X-App: yes', `Content-Length: ${LONG.length + 1}`, '', LONG),
    then: 'FIN',
    status: 401,
    body: LONG,
    headers: { 'x-app': 'yes' },
    cut: true,
  },
  {
    what: 'a 204',
    answer: message('HTTP/1.1 204 No Content', 'X-App: yes', '', ''),
    then: 'stays open',
    status: 204,
    body: '',
    headers: { 'x-app': 'yes', 'content-length': undefined },
  },
  {
    what: 'a 426 with the protocol and its versions',
    answer: message(
      'HTTP/1.1 426 Upgrade Required',
      'Upgrade: websocket',
      'Connection: Upgrade, close',
      'Sec-WebSocket-Version: 13, 8',
      '',
      'upgrade, please',
    ),
    then: 'FIN',
    status: 426,
    body: 'upgrade, please',
    headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13, 8' },
  },
];

/** Sends the answer of the case that the path names. */
async function refuse(connection: RawConnection, asked: number[]): Promise<void> {
  const index = Number((await connection.head()).startLine.split(/[/ ]/)[2]);
  asked[index] = (asked[index] ?? 0) + 1;
  const { answer, then } = CASES[index]!;
  const { socket } = connection;
  if (then === 'FIN') socket.end(answer, 'latin1');
  else if (then === 'stays open') connection.write(answer);
  // Node resets no TLS connection, but the one below it.
  else socket.write(answer, 'latin1', () => lowest(socket).resetAndDestroy());
}

function lowest(socket: Socket | (TLSSocket & { readonly _parent?: Socket })): Socket {
  return ('_parent' in socket ? socket._parent : undefined) ?? socket;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether the body came to its end. */
  readonly complete: boolean;
}

/** Asks for an upgrade by Node's client, which judges the framing. */
async function ask(url: string): Promise<Answer> {
  const response = await begin(url, { headers: UPGRADE });
  let body = '';
  response.setEncoding('latin1');
  response.on('data', (text: string) => (body += text));
  response.on('error', () => undefined);
  await within('the end of the answer', new Promise((settle) => response.once('close', settle)));
  const { statusCode = 0, headers, complete } = response;
  return { status: statusCode, headers, body, complete };
}

describe('a refusal reaches the client, and no other endpoint is asked', () => {
  let rig: WebRig;
  /** Requests of each case, by carrier. */
  const asked = { 'system-calls': [] as number[], 'node-sockets': [] as number[] };
  const endpoints: RawEndpoint[] = [];

  before(async () => {
    const listen = async (carrier: keyof typeof asked): Promise<string[]> => {
      const tls = carrier === 'node-sockets' ? { cert: GOOD_CERT, key: GOOD_KEY } : null;
      const part = (connection: RawConnection): Promise<void> => refuse(connection, asked[carrier]);
      const both = [await RawEndpoint.listen(part, tls), await RawEndpoint.listen(part, tls)];
      endpoints.push(...both);
      return both.map(({ address }) => address);
    };
    const clusters = {
      'system-calls': { retries: 1, endpoints: await listen('system-calls') },
      'node-sockets': {
        retries: 1,
        tls: { verify: false },
        endpoints: await listen('node-sockets'),
      },
    };
    rig = await WebRig.start({
      listeners: Object.fromEntries(
        Object.keys(clusters).map((name) => [
          name,
          {
            routes: [{ match: {}, cluster: name }],
            websocket: { handshakeTimeout: `${HANDSHAKE_TIMEOUT_MS}ms` },
          },
        ]),
      ),
      clusters,
    });
  });
  after(async () => {
    for (const endpoint of endpoints) endpoint.close();
    await rig.stop();
  });

  for (const carrier of ['system-calls', 'node-sockets'] as const) {
    describe(`over ${carrier}`, { concurrency: true }, () => {
      for (const [index, { what, status, body, headers = {}, cut }] of CASES.entries()) {
        it(what, async () => {
          const answer = await ask(`http://${rig.address(carrier)}/${index}`);
          assert.equal(answer.status, status);
          for (const [name, value] of Object.entries(headers)) {
            assert.equal(answer.headers[name], value, name);
          }
          if (cut) assert.ok(body.startsWith(answer.body));
          else assert.equal(answer.body, body);
          assert.equal(answer.complete, cut !== true);
          assert.equal(asked[carrier][index], 1);
          const line = await rig.sluice.waitForLog(
            ({ msg, listener, path }) =>
              msg === 'handshake refused' && listener === carrier && path === `/${index}`,
          );
          assert.equal(line.cut, cut ? 'endpoint' : undefined);
        });
      }
    });
  }

  it('and counts as a failure of no endpoint', async () => {
    for (const { failures } of endpoints) assert.deepEqual(failures, []);
    const metrics = await rig.settled();
    const all = 2 * CASES.length;
    const counts = Object.entries({
      sluice_endpoint_connect_failures_total: 0,
      sluice_cluster_retries_total: 0,
      sluice_endpoint_ejections_total: 0,
      sluice_ws_handshake_failures_total: all,
      sluice_endpoint_server_errors_total: 2 * CASES.filter(({ status }) => status >= 500).length,
    });
    for (const [name, count] of counts) assert.equal(metrics.sum(name), count, name);
    assert.equal(metrics.sum('sluice_ws_handshake_failures_total', { reason: 'refused' }), all);
    const cuts = 2 * CASES.filter(({ cut }) => cut).length;
    assert.equal(metrics.sum('sluice_http_responses_cut_total', { reason: 'endpoint' }), cuts);
  });
});
