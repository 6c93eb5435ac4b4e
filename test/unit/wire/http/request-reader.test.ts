import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestProblem } from '../../../../src/wire/http/head-scan.ts';
import type { RequestHead } from '../../../../src/wire/http/request-head.ts';
import { RequestHeadReader } from '../../../../src/wire/http/request-reader.ts';

const LIMITS = { maxHeadBytes: 1024, maxHeaders: 10 };

/** The result of a reader, and the input after it. */
interface Found {
  readonly result: RequestHead | RequestProblem | null;
  /** The bytes behind the head; null without a head. */
  readonly rest: string | null;
  /** Method and path of a head that is refused or incomplete. */
  readonly part: string | null;
}

/** Pushes the bytes cut at the given places, through one buffer that is overwritten after each push. */
function read(bytes: Buffer, cuts: readonly number[] = [], limits = LIMITS): Found {
  const reader = new RequestHeadReader(limits);
  const shared = Buffer.alloc(bytes.length + 3);
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    shared.fill(0xee);
    bytes.copy(shared, 3, at, end);
    const result = reader.push(shared, 3, 3 + end - at);
    if (result !== null) {
      assert.equal(reader.begun, false);
      if ('status' in result) return { result, rest: null, part: partOf(reader) };
      return { result, rest: bytes.toString('latin1', at + reader.used), part: null };
    }
    assert.equal(reader.used, end - at);
    at = end;
  }
  return { result: null, rest: null, part: partOf(reader) };
}

function partOf(reader: RequestHeadReader): string {
  const { method, path } = reader.partialHead();
  return `${method} ${path}`;
}

/** Reads a text in every cut in two, and byte by byte, which must all give the same. */
function readInPieces(text: string, limits = LIMITS): Found {
  const bytes = Buffer.from(text, 'latin1');
  const whole = read(bytes, [], limits);
  for (let cut = 1; cut < bytes.length; cut++) assert.deepEqual(read(bytes, [cut], limits), whole);
  const each = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  assert.deepEqual(read(bytes, each, limits), whole);
  return whole;
}

function headOf(text: string): RequestHead {
  const { result } = readInPieces(text);
  assert.ok(result !== null && !('status' in result), JSON.stringify(result));
  return result;
}

/** Returns status, reason and detail of a refusal; `incomplete` or `accepted` if there is none. */
function refusalOf(text: string, limits = LIMITS): string {
  const { result } = readInPieces(text, limits);
  if (result === null) return 'incomplete';
  return 'status' in result ? `${result.status} ${result.reason}: ${result.detail}` : 'accepted';
}

describe('a request head', () => {
  it('keeps the spelling of names and the values as sent', () => {
    const text =
      'POST /a/b?c=d?e HTTP/1.1\r\nHost: h\r\nX-One:\t two  words \t\r\nx-ONE:\r\nX-Byte: \xe9\xff\r\n\r\nrest';
    assert.deepEqual(readInPieces(text), {
      result: {
        method: 'POST',
        path: '/a/b',
        query: 'c=d?e',
        headers: ['host', 'h', 'x-one', 'two  words', 'x-one', '', 'x-byte', '\xe9\xff'],
        names: ['Host', 'X-One', 'x-ONE', 'X-Byte'],
      },
      rest: 'rest',
      part: null,
    });
  });

  it('may follow empty lines', () => {
    const reader = new RequestHeadReader(LIMITS);
    assert.equal(reader.push(Buffer.from('\r\n\r'), 0, 3), null);
    assert.equal(reader.begun, false);
    assert.equal(reader.push(Buffer.from('\nG'), 0, 2), null);
    assert.equal(reader.begun, true);
    reader.reset();
    assert.equal(reader.begun, false);
    assert.equal(headOf('\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n').method, 'GET');
    assert.equal(refusalOf('\r\n'.repeat(9)), '400 bad_line_end: malformed or too many empty lines');
    assert.equal(refusalOf('\nGET'), '400 bad_line_end: malformed or too many empty lines');
    assert.equal(refusalOf('\r\rGET'), '400 bad_line_end: malformed or too many empty lines');
  });

  it('is read repeatedly by one reader', () => {
    const reader = new RequestHeadReader(LIMITS);
    const bytes = Buffer.from(
      'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2?q HTTP/1.1\r\nHost: b\r\n\r\nGET /3 HTTP/1.0\r\n\r\n',
    );
    const found: unknown[] = [];
    for (let at = 0; at < bytes.length; at += reader.used) {
      found.push(reader.push(bytes, at, bytes.length));
    }
    assert.deepEqual(found, [
      { method: 'GET', path: '/1', query: '', headers: ['host', 'a'], names: ['Host'] },
      { method: 'GET', path: '/2', query: 'q', headers: ['host', 'b'], names: ['Host'] },
      { method: 'GET', path: '/3', query: '', headers: [], names: [], isHttp10: true },
    ]);
  });

  it('may be HTTP/1.0, or a later HTTP/1', () => {
    assert.equal(headOf('GET / HTTP/1.0\r\nHost: a\r\n\r\n').isHttp10, true);
    assert.equal(headOf('GET / HTTP/1.0\r\n\r\n').isHttp10, true);
    assert.equal(headOf('GET / HTTP/1.2\r\nHost: a\r\n\r\n').isHttp10, undefined);
  });
});

describe('the target of a request', () => {
  const targets: readonly [method: string, target: string, path: string, query: string, host: string][] = [
    ['GET', '/', '/', '', 'h'],
    ['GET', '/?', '/', '', 'h'],
    ['GET', '//a/../b;c=%00', '//a/../b;c=%00', '', 'h'],
    ['GET', 'http://Example.com', '/', '', 'Example.com'],
    ['GET', 'HTTPS://example.com:8443/a?b', '/a', 'b', 'example.com:8443'],
    ['GET', 'http://[::1]?b?c', '/', 'b?c', '[::1]'],
    ['OPTIONS', '*', '*', '', 'h'],
    ['OPTIONS', 'http://example.com', '*', '', 'example.com'],
    ['OPTIONS', 'http://example.com/', '/', '', 'example.com'],
  ];
  for (const [method, target, path, query, host] of targets) {
    it(`may be ${method} ${target}`, () => {
      const head = headOf(`${method} ${target} HTTP/1.1\r\nA: b\r\nHOST: h\r\n\r\n`);
      assert.deepEqual([head.path, head.query], [path, query]);
      assert.deepEqual(head.headers, ['a', 'b', 'host', host]);
      assert.deepEqual(head.names, ['A', 'HOST']);
    });
  }

  it('keeps the mark of an empty query', () => {
    const isEmpty = (target: string): boolean | undefined =>
      headOf(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`).hasEmptyQuery;
    assert.deepEqual(['/?', 'http://a?', '/a??', '/', '/?b'].map(isEmpty), [
      true,
      true,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('supplies the host that HTTP/1.0 omits', () => {
    const head = headOf('GET http://a/ HTTP/1.0\r\nB: c\r\n\r\n');
    assert.deepEqual(head.headers, ['host', 'a', 'b', 'c']);
    assert.deepEqual(head.names, ['Host', 'B']);
  });

  for (const target of [
    '*',
    'example.com:443',
    'ftp://example.com/',
    'http://',
    'http:///a',
    'http://u@h/',
    'http://a b/',
    'path',
    '?a',
    '/a#b',
    '/a\tb',
    '/a\x00',
    '/\x7f',
    '/\xe9',
    '/a  ',
  ]) {
    it(`is refused as GET ${JSON.stringify(target)}`, () =>
      assert.match(
        refusalOf(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`),
        /^400 (?:bad_target: bad request target|bad_version: bad HTTP version)$/,
      ));
  }
});

describe('a request is refused', () => {
  const cases: readonly [head: string, refusal: string][] = [
    ['CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', '400 bad_method: CONNECT is not supported'],
    ['G(T / HTTP/1.1\r\n', '400 bad_method: bad method'],
    [' GET / HTTP/1.1\r\n', '400 bad_method: bad method'],
    ['\x16\x03\x01', '400 bad_method: bad method'],
    ['A'.repeat(33), '501 bad_method: method too long'],
    ['GET\t/ HTTP/1.1\r\n', '400 bad_method: bad method'],
    ['GET  / HTTP/1.1\r\n', '400 bad_target: bad request target'],
    ['GET /\r\n', '400 bad_version: no HTTP version in the request line'],
    ['GET / \r\n', '400 bad_version: bad HTTP version'],
    ['GET / HTTP/1.1 \r\n', '400 bad_version: bad HTTP version'],
    ['GET / http/1.1\r\n', '400 bad_version: bad HTTP version'],
    ['GET / HTTP/1.10\r\n', '400 bad_version: bad HTTP version'],
    ['GET / HTTP/01.1\r\n', '400 bad_version: bad HTTP version'],
    ['GET / HTTP/0.9\r\n', '400 bad_version: bad HTTP version'],
    ['GET / HTTP/2\r\n', '400 bad_version: bad HTTP version'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505 bad_version: HTTP version not supported'],
    ['GET / HTTP/1.1\n', '400 bad_version: bad HTTP version'],
    ['GET / HTTP/1.1\rHost: a\r\n\r\n', '400 bad_line_end: CR without LF'],
    ['GET / HTTP/1.1\r\nHost: a\n\r\n', '400 bad_line_end: LF without CR'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\n', '400 bad_line_end: LF without CR'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\rX', '400 bad_line_end: CR without LF'],
    ['GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n', '400 bad_line_end: CR without LF'],
    ['GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', '400 bad_header: white space before a header'],
    ['GET / HTTP/1.1\r\n\tHost: a\r\n\r\n', '400 bad_header: white space before a header'],
    ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', '400 bad_header: bad header name'],
    ['GET / HTTP/1.1\r\nHost\r\n\r\n', '400 bad_header: bad header name'],
    ['GET / HTTP/1.1\r\n: a\r\n\r\n', '400 bad_header: bad header name'],
    ['GET / HTTP/1.1\r\nH\xf6st: a\r\n\r\n', '400 bad_header: bad header name'],
    ['GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n', '400 bad_header: control character in a header'],
    ['GET / HTTP/1.1\r\nHost: \x0bb\r\n\r\n', '400 bad_header: control character in a header'],
    ['GET / HTTP/1.1\r\nHost: \x7f\r\n\r\n', '400 bad_header: control character in a header'],
    ['GET / HTTP/1.1\r\n\r\n', '400 bad_host: no host header'],
    ['GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', '400 bad_host: more than one host header'],
    ['GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n', '400 bad_host: more than one host header'],
    ['GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n', '400 bad_host: bad host header'],
  ];
  for (const [head, refusal] of cases) {
    it(`for ${JSON.stringify(head)}`, () => assert.equal(refusalOf(head), refusal));
  }

  const framings: readonly [headers: string, refusal: string][] = [
    ['Content-Length: 5\r\nContent-Length: 5\r\n', '400 bad_framing: more than one content-length header'],
    ['Content-Length: 5, 5\r\n', '400 bad_framing: bad content-length'],
    ['Content-Length: +5\r\n', '400 bad_framing: bad content-length'],
    ['Content-Length: 0x5\r\n', '400 bad_framing: bad content-length'],
    ['Content-Length:\r\n', '400 bad_framing: bad content-length'],
    ['Content-Length: 1234567890123456\r\n', '400 bad_framing: bad content-length'],
    [
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      '400 bad_framing: both content-length and transfer-encoding',
    ],
    [
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
      '400 bad_framing: more than one transfer-encoding header',
    ],
    ['Transfer-Encoding: chunked, chunked\r\n', '400 bad_framing: transfer-encoding other than chunked'],
    ['Transfer-Encoding: chunked, gzip\r\n', '400 bad_framing: transfer-encoding other than chunked'],
    ['Transfer-Encoding: identity\r\n', '400 bad_framing: transfer-encoding other than chunked'],
    ['Transfer-Encoding:\r\n', '400 bad_framing: transfer-encoding other than chunked'],
    ['Transfer-Encoding: gzip, chunked\r\n', '501 bad_framing: transfer-encoding other than chunked'],
    ['Transfer-Encoding: Chunked\r\n', 'accepted'],
    ['Content-Length: 005\r\n', 'accepted'],
  ];
  for (const [headers, refusal] of framings) {
    it(`for ${JSON.stringify(headers)}`, () =>
      assert.equal(refusalOf(`POST / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`), refusal));
  }

  it('for chunks in HTTP/1.0', () => {
    const text = 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.equal(refusalOf(text), '400 bad_framing: transfer-encoding in HTTP/1.0');
  });
});

describe('a refused or incomplete head', () => {
  const parts: readonly (readonly [text: string, part: string])[] = [
    ['GE', ' '],
    ['G@T / HTTP/1.1\r\n', ' '],
    ['GET /a', 'GET '],
    ['GET /a\x01 HTTP/1.1\r\n', 'GET '],
    ['GET /a?b=c HT', 'GET /a'],
    ['GET /a?b=c HTTP/9.9\r\n', 'GET /a'],
    ['POST /a HTTP/1.1\r\nHost: a\r\n b', 'POST /a'],
    ['GET /a HTTP/1.1\r\n\r\n', 'GET /a'],
    ['GET http://a.example/b?c HTTP/1.1\r\nbad header\r\n', 'GET /b'],
    ['GET http://user:word@a.example/b HTTP/1.1\r\nHost: a\r\n\r\n', 'GET '],
    ['CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n', 'CONNECT '],
    ['\n', ' '],
  ];
  for (const [text, part] of parts) {
    it(`reveals its complete parts: ${JSON.stringify(text)}`, () =>
      assert.equal(readInPieces(text).part, part));
  }

  it('reveals nothing of the previous head', () => {
    const reader = new RequestHeadReader(LIMITS);
    for (const text of ['GET /a HTTP/9.9\r\n', 'G@T']) reader.push(Buffer.from(text), 0, text.length);
    assert.equal(partOf(reader), ' ');
    reader.push(Buffer.from('POST /b HTTP/1.1\r\n\x00'), 0, 19);
    reader.push(Buffer.from('\n'), 0, 1);
    assert.equal(partOf(reader), ' ');
  });
});

describe('the limits of a head', () => {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\n';

  it('allow a head of the max size, and no larger one', () => {
    const padded = (size: number): string =>
      `${start}A: ${'b'.repeat(size - start.length - 'A: \r\n\r\n'.length)}\r\n\r\n`;
    const limits = { maxHeadBytes: 200, maxHeaders: 10 };
    assert.equal(refusalOf(padded(200), limits), 'accepted');
    assert.equal(refusalOf(`\r\n${padded(200)}more`, limits), 'accepted');
    assert.equal(refusalOf(padded(201), limits), '431 head_too_large: request head too large');
  });

  it('refuse a long target with its own status', () => {
    const limits = { maxHeadBytes: 100, maxHeaders: 10 };
    assert.equal(refusalOf(`GET /${'a'.repeat(95)}`, limits), '414 target_too_long: request target too long');
  });

  it('count headers', () => {
    const limits = { maxHeadBytes: 1024, maxHeaders: 3 };
    assert.equal(refusalOf(`${start}A: b\r\nA: b\r\n\r\n`, limits), 'accepted');
    assert.equal(
      refusalOf(`${start}A: b\r\nA: b\r\nA: b\r\n\r\n`, limits),
      '431 too_many_headers: too many headers',
    );
  });
});
