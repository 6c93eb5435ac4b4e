/** Mutated heads of requests, read in pieces, and compared with a reader of whole texts and with llhttp. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RequestProblem } from '../../../src/wire/http/head-scan.ts';
import { hostOf } from '../../../src/wire/http/host-header.ts';
import { headProblem, type RequestHead } from '../../../src/wire/http/request-head.ts';
import { RequestHeadReader } from '../../../src/wire/http/request-reader.ts';
import { isKnownMethod, readByLlhttp } from './llhttp.ts';
import { cutPlaces, edited, edits, readEnds } from './mutations.ts';

const LIMITS = { maxHeadBytes: 700, maxHeaders: 12 };

const HEADS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /chat?room=1 HTTP/1.1\r\nHost: app.example:8080\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://a\r\nCookie: a=b; c="d"\r\n\r\n',
  'POST /a/b%2Fc?d?e=%00 HTTP/1.1\r\nhost:a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello',
  'PUT /x HTTP/1.1\r\nHOST: \t[::1]:80 \r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  '\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Byte: \xe9\xff\t.\r\n\r\nGET /next HTTP/1.1\r\nHost: b\r\n\r\n',
  'GET http://Example.com:81/a?b HTTP/1.1\r\nAccept: */*\r\nHost: other\r\n\r\n',
  'HEAD /old? HTTP/1.0\r\n\r\n',
  'DELETE https://a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
].map((head) => Buffer.from(head, 'latin1'));

const PIECES = [
  ...'\r|\n|\r\n|\r\n\r\n|\r\n |\r\n\t| |  |\t|:|: | :|\0|\x01|\x7f|\x80|\xff|,|;|*|/|?|#|%|"|=|0|5|chunked|gzip|close'.split(
    '|',
  ),
  ...['HTTP/1.0', 'HTTP/1.1', 'HTTP/1.9', 'http/1.1', 'HTTP/2.0', 'http://a', 'http://', 'a@b', '[::1]'],
  ...['Host: a\r\n', 'Content-Length: 5\r\n', 'content-length:0\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...['X: y\r\n'.repeat(10), 'a'.repeat(40), 'b'.repeat(300), '\r\n'.repeat(9)],
].map((piece) => Buffer.from(piece, 'latin1'));

/** What clients send: mostly damaged. */
export const mutatedRequests: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...HEADS), edits(PIECES))
  .map(([base, list]) => edited(base, list));

type Outcome =
  | { readonly kind: 'head'; readonly head: RequestHead; readonly length: number }
  | { readonly kind: 'refused'; readonly problem: RequestProblem }
  | { readonly kind: 'incomplete' };

/** One memory for all reads, which is overwritten after each. */
const shared = Buffer.alloc(64 * 1024);

function read(bytes: Buffer, ends: readonly number[]): Outcome {
  const reader = new RequestHeadReader(LIMITS);
  let at = 0;
  for (const end of ends) {
    const start = 1 + (at & 7);
    bytes.copy(shared, start, at, end);
    const result = reader.push(shared, start, start + end - at);
    shared.fill(0x0a, start, start + end - at);
    if (result !== null) {
      assert.equal(reader.begun, false);
      // The dispatcher does not check again what the reader has accepted.
      if (!('status' in result)) assert.equal(headProblem(result), null);
      return 'status' in result
        ? { kind: 'refused', problem: result }
        : { kind: 'head', head: result, length: at + reader.used };
    }
    assert.equal(reader.used, end - at);
    at = end;
  }
  return { kind: 'incomplete' };
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const WHOLE = new RegExp(
  `^((?:\\r\\n){0,8})((${TOKEN}) ([!-"$-~]+) HTTP/1\\.(\\d)\\r\\n((?:${TOKEN}:[\\t -~\\x80-\\xff]*\\r\\n)*)\\r\\n)`,
);

/** Reads a head by expressions over the whole text, as the RFC's grammar has it. Returns null for any other text. */
function readWhole(bytes: Buffer): { readonly head: RequestHead; readonly length: number } | null {
  const match = WHOLE.exec(bytes.toString('latin1'));
  if (match === null) return null;
  const [all, , own = '', method = '', target = '', minor = '', lines = ''] = match;
  if (own.length > LIMITS.maxHeadBytes || method.length > 32 || method === 'CONNECT') return null;
  const fields = lines.split('\r\n').slice(0, -1);
  if (fields.length > LIMITS.maxHeaders) return null;
  const names: string[] = [];
  const headers: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(':');
    names.push(field.slice(0, colon));
    headers.push(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, ''));
  }
  const values = (name: string): string[] =>
    headers.filter((_, at) => at % 2 === 1 && headers[at - 1] === name);
  const [hosts, lengths, codings] = [values('host'), values('content-length'), values('transfer-encoding')];
  const isOld = minor === '0';
  if (hosts.length > 1 || (hosts.length === 0 && !isOld)) return null;
  if (lengths.length > 1 || !lengths.every((value) => /^\d{1,15}$/.test(value))) return null;
  if (codings.length > 1 || !codings.every((value) => /^chunked$/i.test(value))) return null;
  if (codings.length === 1 && (isOld || lengths.length === 1)) return null;
  const parts = target.startsWith('/')
    ? /^([^?]*)(?:\?(.*))?$/.exec(target)
    : /^(\*)()$|^https?:\/\/[^/?]*(\/[^?]*)?(?:\?(.*))?$/i.exec(target);
  if (parts === null || (target === '*' && method !== 'OPTIONS')) return null;
  let path = parts[1] ?? parts[3] ?? '';
  const query = (target.startsWith('/') ? parts[2] : parts[4]) ?? '';
  const authority = /^https?:\/\/([^/?]*)/i.exec(target)?.[1];
  if (authority !== undefined) {
    if (hostOf(authority) === null) return null;
    const [host] = hosts;
    if (host !== undefined && host !== '' && hostOf(host) === null) return null;
    if (path === '') path = method === 'OPTIONS' && !target.includes('?') ? '*' : '/';
    const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'host');
    if (at >= 0) {
      headers[at + 1] = authority;
    } else {
      headers.unshift('host', authority);
      names.unshift('Host');
    }
  }
  const head = { method, path, query, headers, names };
  const old = isOld && ({ isHttp10: true } as const);
  const empty = /^[^?]*\?$/.test(target) && ({ hasEmptyQuery: true } as const);
  return { head: { ...head, ...old, ...empty }, length: all.length };
}

/** Checks that llhttp reads an accepted head in the same way. */
function compareWithLlhttp(
  bytes: Buffer,
  { head, length }: { readonly head: RequestHead; readonly length: number },
): void {
  if (!isKnownMethod(head.method)) return;
  const text = bytes.toString('latin1', 0, length);
  // llhttp knows no later version of HTTP/1.
  if (!/ HTTP\/1\.[01]\r\n/.test(text)) return;
  assert.equal(readByLlhttp(bytes.subarray(0, length - 1)), null, 'llhttp finds an earlier end');
  const found = readByLlhttp(bytes.subarray(0, length));
  assert.ok(found !== null && typeof found !== 'string', `llhttp: ${JSON.stringify(found)}`);
  assert.equal(found.method, head.method);
  assert.equal(found.minorVersion, head.isHttp10 === true ? 0 : 1);
  if (found.target.startsWith('/')) {
    const query = found.target.indexOf('?');
    assert.equal(head.path, query < 0 ? found.target : found.target.slice(0, query));
    assert.deepEqual(
      found.headers,
      head.headers.map((text, index) => (index % 2 === 0 ? head.names![index / 2]! : text)),
    );
  }
}

/** Reads mutated heads. Throws if one is read in two ways. */
export function fuzzRequestHeads(runs: number, seed: number): void {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(mutatedRequests, cutPlaces, (bytes, places) => {
      const whole = read(bytes, [bytes.length]);
      assert.deepEqual(read(bytes, readEnds(bytes.length, places)), whole);
      assert.deepEqual(read(bytes, readEnds(bytes.length, 'each byte')), whole);
      const expected = readWhole(bytes);
      if (whole.kind === 'head') {
        accepted++;
        assert.deepEqual({ head: whole.head, length: whole.length }, expected);
        compareWithLlhttp(bytes, whole);
      } else {
        if (whole.kind === 'refused') refused++;
        assert.equal(expected, null);
      }
    }),
    { numRuns: runs, seed },
  );
  // A mutation that breaks everything, or nothing, would find nothing.
  assert.ok(accepted > runs / 10 && refused > runs / 10, `${accepted} accepted, ${refused} refused`);
}
