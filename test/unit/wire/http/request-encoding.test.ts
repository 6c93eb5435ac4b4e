import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toByteText } from '../../../../src/core/byte-text.ts';
import { isForwardingName } from '../../../../src/wire/forwarding/forwarded-headers.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';
import {
  encodeRequest,
  encodeUpgradeRequest,
  type UpstreamTarget,
} from '../../../../src/wire/http/request-encoding.ts';
import { headProblem, type RequestHead } from '../../../../src/wire/http/request-head.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const OWN_LINES = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
];

function head(...headers: string[]): RequestHead {
  return { method: 'GET', path: '/ignored', query: 'ignored', headers };
}

/** Returns a request that its route does not change. */
function plain(target: string, forwarded: readonly string[] = []): UpstreamTarget {
  return { target, host: null, forwarded, edits: NO_EDITS };
}

/** Returns the lines of the encoded request. Fails if a line ends wrongly. */
function linesOf(bytes: Buffer): string[] {
  const text = bytes.toString('latin1');
  assert.ok(text.endsWith('\r\n\r\n'));
  const lines = text.slice(0, -4).split('\r\n');
  // The bytes, and not the text, are what an endpoint sees.
  assert.equal(bytes.filter((byte) => byte === 13).length, lines.length + 1);
  assert.equal(bytes.filter((byte) => byte === 10).length, lines.length + 1);
  return lines;
}

function headerLines(request: RequestHead, forwarded: readonly string[] = []): string[] {
  const lines = linesOf(encodeUpgradeRequest(request, plain('/', forwarded), KEY));
  assert.equal(lines[0], 'GET / HTTP/1.1');
  assert.deepEqual(lines.slice(-OWN_LINES.length), OWN_LINES);
  return lines.slice(1, -OWN_LINES.length);
}

describe('the handshake with an endpoint', () => {
  it("has the target, the client's headers, the forwarding headers and sluice's own key", () => {
    const request = head(
      ...['host', 'example.com:8080'],
      ...['upgrade', 'websocket'],
      ...['connection', 'keep-alive, Upgrade'],
      ...['sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw=='],
      ...['sec-websocket-version', '13'],
      ...['sec-websocket-extensions', 'permessage-deflate'],
      ...['sec-websocket-protocol', 'chat.v2, chat.v1'],
      ...['origin', 'https://example.com'],
      ...['cookie', 'a=1; b="2"'],
      ...['cookie', 'c=3'],
      ...['x-empty', ''],
    );
    const lines = linesOf(encodeUpgradeRequest(request, plain('/a?b=c', ['X-Real-IP', '::1']), KEY));
    assert.deepEqual(lines, [
      'GET /a?b=c HTTP/1.1',
      'host: example.com:8080',
      'sec-websocket-protocol: chat.v2, chat.v1',
      'origin: https://example.com',
      'cookie: a=1; b="2"',
      'cookie: c=3',
      'x-empty: ',
      'X-Real-IP: ::1',
      ...OWN_LINES,
    ]);
  });

  it("keeps the client's spelling of header names", () => {
    const request = {
      ...head('host', 'a', 'te', 'x', 'user-agent', 'b', 'connection', 'x-c', 'x-c', '1', 'dnt', '2'),
      names: ['HOST', 'TE', 'User-Agent', 'Connection', 'X-C', 'DNT'],
    };
    assert.deepEqual(headerLines(request), ['HOST: a', 'User-Agent: b', 'DNT: 2']);
  });

  it('has a host even if the client sends none', () => {
    const lines = linesOf(encodeUpgradeRequest(head('x', '1'), { ...plain('/'), host: 'app' }, KEY));
    assert.deepEqual(lines.slice(1, 3), ['Host: app', 'x: 1']);
    const replaced = linesOf(encodeUpgradeRequest(head('host', ''), { ...plain('/'), host: 'app' }, KEY));
    assert.deepEqual(replaced.slice(1, 2), ['host: app']);
  });

  it('offers the given extensions', () => {
    const request = head('host', 'a', 'sec-websocket-extensions', 'x-client');
    const lines = linesOf(encodeUpgradeRequest(request, plain('/'), KEY, 'x-a; b=1, x-c'));
    assert.deepEqual(lines, [
      'GET / HTTP/1.1',
      'host: a',
      ...OWN_LINES,
      'Sec-WebSocket-Extensions: x-a; b=1, x-c',
    ]);
  });

  const ofOneConnection = [
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'trailer',
    'transfer-encoding',
    'content-length',
    'upgrade',
    'http2-settings',
    'expect',
    'sec-websocket-key',
    'sec-websocket-version',
    'sec-websocket-extensions',
    'sec-websocket-accept',
  ];
  for (const name of ofOneConnection) {
    it(`drops the client's ${name}`, () => {
      assert.deepEqual(headerLines(head('host', 'a', name, 'theirs', 'x-b', 'c')), ['host: a', 'x-b: c']);
    });
  }

  it("replaces the client's forwarding headers", () => {
    const names = ['for', 'proto', 'host', 'port', 'prefix', 'anything'].map((last) => `x-forwarded-${last}`);
    const theirs = [...names, 'x-real-ip', 'x-request-id', 'forwarded'].flatMap((name) => [name, 'theirs']);
    assert.deepEqual(headerLines(head('host', 'a', ...theirs), ['X-Forwarded-For', 'ours']), [
      'host: a',
      'X-Forwarded-For: ours',
    ]);
  });

  it("drops the headers that the client's Connection header names", () => {
    const request = head(
      ...['x-a', '1'],
      ...['host', 'a'],
      ...['connection', 'Upgrade, X-A'],
      ...['x-b', '2'],
      ...['connection', 'x-C ,close'],
      ...['x-c', '3'],
      ...['x-a', '4'],
    );
    assert.deepEqual(headerLines(request), ['host: a', 'x-b: 2']);
  });

  it('keeps Host and forwarding headers, whatever the Connection header names', () => {
    const request = head(
      'host',
      'a',
      'connection',
      'upgrade, host, HOST, x-forwarded-for, x-real-ip, sec-websocket-key',
    );
    assert.deepEqual(headerLines(request, ['X-Forwarded-For', '1.2.3.4', 'X-Real-IP', '1.2.3.4']), [
      'host: a',
      'X-Forwarded-For: 1.2.3.4',
      'X-Real-IP: 1.2.3.4',
    ]);
  });
});

describe('a plain request to an endpoint', () => {
  const encoded = (close: boolean, takesTrailers: boolean, te: string): string =>
    encodeRequest(head('host', 'a', 'te', te), plain('/'), null, { close, takesTrailers });

  it('forwards TE: trailers if trailers can reach the client', () => {
    for (const te of ['trailers', 'gzip;q=0.5, Trailers', 'trailers ,x']) {
      assert.equal(
        encoded(false, true, te),
        'GET / HTTP/1.1\r\nhost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n',
      );
    }
    assert.ok(encoded(true, true, 'trailers').endsWith('TE: trailers\r\nConnection: close, TE\r\n\r\n'));
  });

  it('has no TE otherwise', () => {
    for (const text of [encoded(false, false, 'trailers'), encoded(false, true, 'gzip, xtrailers')]) {
      assert.equal(text, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    }
    assert.ok(encoded(true, false, 'trailers').endsWith('\r\nConnection: close\r\n\r\n'));
  });

  it('announces the trailers of a chunked body', () => {
    const request = head('host', 'a', 'trailer', 'x-a', 'trailer', 'x-b');
    const terms = { close: false, takesTrailers: false };
    assert.match(encodeRequest(request, plain('/'), 'chunked', terms), /\r\nTrailer: x-a, x-b\r\n/);
    assert.doesNotMatch(encodeRequest(request, plain('/'), 5, terms), /trailer/i);
  });
});

const tokenCharacter = fc.constantFrom(...Array.from("abcxyz09-_.!#$%&'*+^`|~"));
const name = fc.oneof(
  fc.string({ unit: tokenCharacter, minLength: 1, maxLength: 8 }),
  fc.constantFrom('cookie', 'connection', 'x-forwarded-for', 'te', 'upgrade', 'x_a', 'x-a', 'host', 'expect'),
);
const valueCharacter = fc.oneof(
  fc.constantFrom(...Array.from('abcxyz09 \t,:;="\\%')),
  fc.constantFrom(
    '\r',
    '\n',
    '\0',
    '\x7f',
    '\x80',
    '\x85',
    'é',
    '\u2028',
    '\ud83d\udc4b',
    '\ud800',
    '\u010a',
    '\u560d',
    '\u0a0d',
  ),
);
const value = fc.oneof(
  fc.string({ unit: valueCharacter, maxLength: 12 }).map(toByteText),
  fc.constantFrom('upgrade, x-a', 'cookie', 'a\r\nhost: b', 'a\nb: c', 'keep-alive'),
);
const request = fc
  .array(fc.tuple(name, value), { maxLength: 8 })
  .map((lines) => head('host', 'example.com', ...lines.flat()));

/** A simple second implementation of the request that goes upstream. */
function expectedLines(from: RequestHead): string[] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < from.headers.length; index += 2) {
    pairs.push([from.headers[index]!, from.headers[index + 1]!]);
  }
  const named = pairs
    .filter(([key]) => key === 'connection')
    .flatMap(([, list]) =>
      list.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase()),
    );
  const hop = ['connection', 'te', 'upgrade', 'expect'];
  return pairs
    .filter(([key]) => key === 'host' || !named.includes(key))
    .filter(([key]) => !hop.includes(key) && !isForwardingName(key))
    .map(([key, content]) => `${key}: ${content}`);
}

describe('any valid request', () => {
  it('goes upstream as exactly the expected lines, with one host', () => {
    let inOrder = 0;
    fc.assert(
      fc.property(request, (from) => {
        if (headProblem(from) !== null) return;
        inOrder++;
        const lines = headerLines(from, ['X-Forwarded-For', '::1']);
        assert.deepEqual(lines, [...expectedLines(from), 'X-Forwarded-For: ::1']);
        assert.equal(lines.filter((line) => /^host:/i.test(line)).length, 1);
      }),
      { numRuns: 500 },
    );
    assert.ok(inOrder > 50, `only ${inOrder} of the requests were in order`);
  });

  it("is read by Node's own server as the same headers", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (from) => {
        if (headProblem(from) !== null) return;
        const bytes = encodeUpgradeRequest(from, plain('/a?b', ['X-Real-IP', '::1']), KEY);
        const received = await receive(bytes);
        assert.equal(received.url, '/a?b');
        const lines: string[] = [];
        for (let index = 0; index < received.rawHeaders.length; index += 2) {
          lines.push(`${received.rawHeaders[index]!}: ${received.rawHeaders[index + 1]!}`);
        }
        const expected = [...expectedLines(from), 'X-Real-IP: ::1', ...OWN_LINES];
        assert.deepEqual(
          lines,
          expected.map((line) => line.replace(/^([^:]*: )[ \t]*(.*?)[ \t]*$/s, '$1$2')),
        );
      }),
      { numRuns: 60 },
    );
  });
});

/** Returns the request that Node's HTTP server reads from the bytes. */
async function receive(bytes: Buffer): Promise<IncomingMessage> {
  const server = createServer();
  const stream = new Duplex({ read: () => null, write: (_chunk, _encoding, done) => done() });
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      server.on('upgrade', (message, _socket, rest) => {
        if (rest.length > 0) reject(new Error('bytes behind the request'));
        else resolve(message);
      });
      server.on('request', () => reject(new Error('no upgrade')));
      server.on('clientError', reject);
      server.emit('connection', stream);
      stream.push(bytes);
    });
  } finally {
    stream.destroy();
  }
}
