/** A second request behind or inside of the first, and limits. */
import { MAX_DROPPED_BYTES } from '../../../../src/l7/contract/unread-body.ts';
import {
  aborted,
  chunked,
  cut,
  get,
  numbered,
  onUws,
  passes,
  passesOnce,
  post,
  received,
  receivedChunks,
  receivedLength,
  refused,
  request,
  then,
} from '../building.ts';
import type { Chapter } from '../case.ts';
import { MAX_BODY } from '../rig.ts';
import {
  ANY_METHOD,
  CLOSES_BEHIND_CHUNKS,
  HEADS_AS_A_WHOLE,
  NO_ANSWER,
  NO_PIPELINING,
  NO_TRAILERS,
  REFUSED_IN_SILENCE,
} from './reasons.ts';

const HIDDEN = request('GET /hidden HTTP/1.1');
const RECEIVED_HIDDEN = received('GET /hidden');
const LAST_CHUNK = '0\r\n\r\n';
const HIDDEN_CHUNKS = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST_CHUNK}`;
/** Above every head limit. Engines with a setting use the limit of uWebSockets.js here. */
const LARGE = 16 * 1024;

function headers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `X-${index}: a`);
}

/** Several requests, all answered. */
const pipelined = (sends: string, bytes: string, ...each: [string, ...string[]]): ReturnType<typeof passes> =>
  onUws(then(passes(sends, bytes, each[0]), ...each.slice(1)), {
    outcome: aborted(sends, bytes, each[0]).outcome,
    why: NO_PIPELINING,
  });
const unreadHead = (sends: string, bytes: string): ReturnType<typeof passes> =>
  onUws(refused(sends, bytes), NO_ANSWER);

const GET_AND_BAD = get() + request('G@T /b HTTP/1.1');

/** Nothing reaches the endpoint, and the proxy closes the connection. */
const unanswered = (sends: string, bytes: string): ReturnType<typeof passes> =>
  onUws(refused(sends, bytes), { outcome: aborted(sends, bytes, '').outcome, why: REFUSED_IN_SILENCE });
/** Refused for what stands where trailers would. */
const badTrailers = (sends: string, bytes: string): ReturnType<typeof passes> =>
  onUws(cut(sends, bytes), {
    outcome: aborted(sends, bytes, receivedChunks(LAST_CHUNK)).outcome,
    why: NO_TRAILERS,
  });

export const SMUGGLING: Chapter = {
  title: '10 A request inside of a request',
  cases: numbered(10, [
    refused(
      'a length before a coding (CL.TE)',
      post(
        [`Content-Length: ${LAST_CHUNK.length + HIDDEN.length}`, 'Transfer-Encoding: chunked'],
        LAST_CHUNK + HIDDEN,
      ),
    ),
    refused(
      'a coding before a length (TE.CL)',
      post(
        ['Transfer-Encoding: chunked', 'Content-Length: 4'],
        `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST_CHUNK}`,
      ),
    ),
    refused(
      'two codings, one of them odd (TE.TE)',
      post(
        ['Content-Length: 4', 'Transfer-Encoding: chunked', 'Transfer-Encoding: x'],
        `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${LAST_CHUNK}`,
      ),
    ),
    unanswered(
      'two lengths; the first one hides a request',
      post(['Content-Length: 0', `Content-Length: ${HIDDEN.length}`], HIDDEN),
    ),
    refused(
      'two lengths; the second one hides a request',
      post([`Content-Length: ${HIDDEN.length}`, 'Content-Length: 0'], HIDDEN),
    ),
    unanswered(
      'two lengths of a HEAD',
      request('HEAD /a HTTP/1.1', ['Content-Length: 0', `Content-Length: ${HIDDEN.length}`], HIDDEN),
    ),
    passes(
      'a length of the hidden request',
      post([`Content-Length: ${HIDDEN.length}`], HIDDEN),
      receivedLength(HIDDEN),
    ),
    pipelined(
      'a request behind a length of 0',
      post(['Content-Length: 0'], HIDDEN),
      receivedLength(''),
      RECEIVED_HIDDEN,
    ),
    pipelined(
      'a request behind a GET with a length',
      request('GET /a HTTP/1.1', ['Content-Length: 3'], `abc${HIDDEN}`),
      received('GET /a', { framing: 'Content-Length: 3', body: 'abc' }),
      RECEIVED_HIDDEN,
    ),
    pipelined(
      'a request behind the last chunk',
      chunked(LAST_CHUNK + HIDDEN),
      receivedChunks(LAST_CHUNK),
      RECEIVED_HIDDEN,
    ),
    pipelined(
      'a request behind the last chunk of a HEAD',
      request('HEAD /a HTTP/1.1', ['Transfer-Encoding: chunked'], LAST_CHUNK + HIDDEN),
      received('HEAD /a', { framing: 'Transfer-Encoding: chunked', body: LAST_CHUNK }),
      RECEIVED_HIDDEN,
    ),
    badTrailers('a request in the place of trailers', chunked(`0\r\n${HIDDEN}`)),
    onUws(
      passes(
        'a request in a trailer',
        chunked(`0\r\nb:${HIDDEN}`),
        receivedChunks('0\r\nb: GET /hidden HTTP/1.1\r\n\r\n'),
      ),
      { outcome: aborted('', '', receivedChunks(LAST_CHUNK)).outcome, why: NO_TRAILERS },
    ),
    onUws(passes('a chunk of the hidden request', chunked(HIDDEN_CHUNKS), receivedChunks(HIDDEN_CHUNKS)), {
      outcome: passesOnce('', '', receivedChunks(HIDDEN_CHUNKS)).outcome,
      why: CLOSES_BEHIND_CHUNKS,
    }),
    unreadHead('a request behind LF in a value', get(`X-A: b\n\n${HIDDEN}`)),
    unreadHead('a request behind CR in a value', get(`X-A: b\r\r${HIDDEN}`)),
    refused('a second target behind an escaped line end', request('GET /a%0d%0aHost:%20b%00 HTTP/1.1')),
    passes(
      'escaped line ends, which stay escaped',
      request('GET /a%0d%0ab HTTP/1.1'),
      received('GET /a%0D%0Ab'),
    ),
    passes(
      "a method override, which is the endpoint's to judge",
      get('X-HTTP-Method-Override: DELETE'),
      received('GET /a', { lines: ['X-HTTP-Method-Override: DELETE'] }),
    ),
    passes(
      "a target override, which is the endpoint's to judge",
      get('X-Original-URL: /hidden'),
      received('GET /a', { lines: ['X-Original-URL: /hidden'] }),
    ),
  ]),
};

export const PIPELINING: Chapter = {
  title: '11 Several requests',
  cases: numbered(11, [
    pipelined(
      'two GETs in one write',
      get() + request('GET /b HTTP/1.1'),
      received('GET /a'),
      received('GET /b'),
    ),
    pipelined(
      'a GET behind a POST',
      post(['Content-Length: 3'], 'abc') + get(),
      receivedLength('abc'),
      received('GET /a'),
    ),
    pipelined(
      'three requests',
      get() + request('PUT /b HTTP/1.1') + get(),
      received('GET /a'),
      received('PUT /b'),
      received('GET /a'),
    ),
    onUws(aborted('a GET, and one that is refused', GET_AND_BAD, received('GET /a'), [200, 400]), {
      outcome: aborted('', '', received('GET /a')).outcome,
      why: NO_PIPELINING,
    }),
    unanswered('one that is refused, and a GET', request('G@T /b HTTP/1.1') + get()),
    unanswered('one that is refused because of its target, and a GET', request('GET /%zz HTTP/1.1') + get()),
    unanswered('one whose header is refused, and a GET', get('X-A: b\x7fc') + get()),
    passesOnce('a GET that is the last', get('Connection: close')),
  ]),
};

export const LIMITS: Chapter = {
  title: '12 Limits',
  cases: numbered(12, [
    passes(
      'a target of 8,000 bytes',
      request(`GET /${'a'.repeat(8000)} HTTP/1.1`),
      received(`GET /${'a'.repeat(8000)}`),
    ),
    onUws(
      refused(
        'a target that is larger than a head may be',
        request(`GET /${'a'.repeat(LARGE)} HTTP/1.1`),
        414,
      ),
      { outcome: refused('', '', 431).outcome, why: HEADS_AS_A_WHOLE },
    ),
    onUws(refused('a method of 300 bytes', request(`${'M'.repeat(300)} /a HTTP/1.1`), 501), {
      outcome: passes('', '', received(`${'M'.repeat(300)} /a`)).outcome,
      why: ANY_METHOD,
    }),
    passes(
      'a method of 30 bytes',
      request(`${'M'.repeat(30)} /a HTTP/1.1`),
      received(`${'M'.repeat(30)} /a`),
    ),
    passes(
      'a value of 12,000 bytes',
      get(`X-A: ${'b'.repeat(12000)}`),
      received('GET /a', { lines: [`X-A: ${'b'.repeat(12000)}`] }),
    ),
    refused('a value that is larger than a head may be', get(`X-A: ${'b'.repeat(LARGE)}`), 431),
    refused(
      'many headers that are larger than a head may be',
      get(...headers(90).map((header) => header + 'b'.repeat(200))),
      431,
    ),
    passes('90 headers', get(...headers(90)), received('GET /a', { lines: headers(90) })),
    refused('200 headers', get(...headers(200)), 431),
    passes(
      'a body of the largest size',
      post([`Content-Length: ${MAX_BODY}`], 'b'.repeat(MAX_BODY)),
      receivedLength('b'.repeat(MAX_BODY)),
    ),
    refused(
      'a length that is larger than what is dropped',
      post([`Content-Length: ${MAX_DROPPED_BYTES + MAX_BODY}`], ''),
      413,
    ),
    refused('a length of a petabyte', post(['Content-Length: 999999999999999'], ''), 413),
    cut(
      'chunks of more than the largest body',
      chunked(`${(MAX_BODY + 1).toString(16)}\r\n${'b'.repeat(MAX_BODY + 1)}\r\n0\r\n\r\n`),
      413,
    ),
  ]),
};
