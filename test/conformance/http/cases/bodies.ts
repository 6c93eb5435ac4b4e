/** How the body of a request is framed. */
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
} from '../building.ts';
import type { Chapter } from '../case.ts';
import {
  CLOSES_BEHIND_CHUNKS,
  LENIENT_CHUNKS,
  NO_ANSWER,
  NO_EXPECTATIONS,
  NO_EXTENSIONS,
  NO_TRAILERS,
  ONE_STATUS,
  UNENDED_CHUNK,
} from './reasons.ts';

const length = (...values: string[]): string[] => values.map((value) => `Content-Length: ${value}`);
const badLength = (sends: string, ...values: string[]): ReturnType<typeof passes> =>
  refused(sends, post(length(...values), 'abc'));
const ABC = receivedLength('abc');
const CHUNKS = receivedChunks('3\r\nabc\r\n0\r\n\r\n');
/** Passes, and the connection stays open where the engine knows the end of the body. */
const inChunks = (sends: string, bytes: string, asReceived: string): ReturnType<typeof passes> =>
  onUws(passes(sends, bytes, asReceived), {
    outcome: passesOnce(sends, bytes, asReceived).outcome,
    why: CLOSES_BEHIND_CHUNKS,
  });
const chunks = (sends: string, body: string, upstream: string): ReturnType<typeof passes> =>
  inChunks(sends, chunked(body), receivedChunks(upstream));
const badChunks = (sends: string, body: string): ReturnType<typeof passes> => cut(sends, chunked(body));
/** Has an extension, which is ignored. */
const extended = (sends: string, body: string): ReturnType<typeof passes> =>
  onUws(passes(sends, chunked(body), CHUNKS), NO_EXTENSIONS);
const unended = (sends: string, body: string): ReturnType<typeof passes> =>
  onUws(badChunks(sends, body), UNENDED_CHUNK);
const lenient = (sends: string, body: string, upstream: string): ReturnType<typeof passes> =>
  onUws(badChunks(sends, body), {
    outcome: passesOnce(sends, chunked(body), receivedChunks(upstream)).outcome,
    why: LENIENT_CHUNKS,
  });
const trailed = (sends: string, trailers: string, upstream: string): ReturnType<typeof passes> => {
  const bytes = chunked(`3\r\nabc\r\n0\r\n${trailers}\r\n`);
  return onUws(passes(sends, bytes, receivedChunks(`3\r\nabc\r\n0\r\n${upstream}\r\n`)), {
    outcome: aborted(sends, bytes, CHUNKS, [505]).outcome,
    why: NO_TRAILERS,
  });
};
const unreadHead = (sends: string, bytes: string): ReturnType<typeof passes> =>
  onUws(refused(sends, bytes), NO_ANSWER);
const coding = (sends: string, ...lines: string[]): ReturnType<typeof passes> =>
  refused(sends, post(lines, '3\r\nabc\r\n0\r\n\r\n'));

export const LENGTHS: Chapter = {
  title: '7 Content-Length',
  cases: numbered(7, [
    passes('a body', post(length('3'), 'abc'), ABC),
    passes('a body of any bytes', post(length('6'), '\0\r\n\r\n\xff'), receivedLength('\0\r\n\r\n\xff')),
    passes(
      'a body that looks like a request',
      post(length(String(get().length)), get()),
      receivedLength(get()),
    ),
    passes('a length of 0', post(length('0'), ''), receivedLength('')),
    passes('neither length nor body', post([], ''), received('POST /a')),
    passes(
      'a body of a GET',
      request('GET /a HTTP/1.1', length('3'), 'abc'),
      received('GET /a', { framing: 'Content-Length: 3', body: 'abc' }),
    ),
    passes(
      'a body of a method that nobody knows',
      request('BREW /a HTTP/1.1', length('3'), 'abc'),
      received('BREW /a', { framing: 'Content-Length: 3', body: 'abc' }),
    ),
    passes('zeros in front', post(length('0003'), 'abc'), ABC),
    passes('white space around it', post(length(' \t3 \t'), 'abc'), ABC),
    passes('Expect: 100-continue', post(['Expect: 100-continue', ...length('3')], 'abc'), ABC),
    onUws(refused('another expectation', post(['Expect: b', ...length('3')], 'abc'), 417), {
      outcome: passes('', '', ABC).outcome,
      why: NO_EXPECTATIONS,
    }),
    badLength('two lengths', '3', '4'),
    badLength('two lengths that are the same', '3', '3'),
    badLength('a list', '3, 3'),
    badLength('a list of others', '3,4'),
    badLength('a plus', '+3'),
    badLength('a minus', '-3'),
    badLength('hexadecimal digits', '0x3'),
    badLength('a fraction', '3.0'),
    badLength('an exponent', '3e0'),
    badLength('a space inside', '3 3'),
    badLength('a letter', '3a'),
    badLength('nothing', ''),
    badLength('quotes', '"3"'),
    badLength('2 to the power of 64, and 3', '18446744073709551619'),
    badLength('a number of thirty digits', '3'.repeat(30)),
    unreadHead('a length behind a space in front of the colon', post(['Content-Length : 3'], 'abc')),
    unreadHead('a length in a folded line', post(['Content-Length:', ' 3'], 'abc')),
  ]),
};

export const CHUNKED: Chapter = {
  title: '8 Chunks',
  cases: numbered(8, [
    chunks('a chunk', '3\r\nabc\r\n0\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    chunks('no chunk but the last', '0\r\n\r\n', '0\r\n\r\n'),
    chunks('a size in lower case', 'a\r\n0123456789\r\n0\r\n\r\n', 'a\r\n0123456789\r\n0\r\n\r\n'),
    chunks('a size in upper case', 'A\r\n0123456789\r\n0\r\n\r\n', 'a\r\n0123456789\r\n0\r\n\r\n'),
    chunks('zeros in front of a size', '003\r\nabc\r\n0\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    chunks('several zeros for the last', '3\r\nabc\r\n000\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    chunks(
      'a chunk that looks like a request',
      `${get().length.toString(16)}\r\n${get()}\r\n0\r\n\r\n`,
      `${get().length.toString(16)}\r\n${get()}\r\n0\r\n\r\n`,
    ),
    chunks('a chunk that looks like the last', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '5\r\n0\r\n\r\n\r\n0\r\n\r\n'),
    inChunks(
      'chunks of a GET',
      request('GET /a HTTP/1.1', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n\r\n'),
      received('GET /a', { framing: 'Transfer-Encoding: chunked', body: '3\r\nabc\r\n0\r\n\r\n' }),
    ),
    inChunks(
      'the coding in mixed case',
      post(['tRANSFER-eNCODING: cHUNKED'], '3\r\nabc\r\n0\r\n\r\n'),
      CHUNKS,
    ),
    inChunks(
      'white space around the coding',
      post(['Transfer-Encoding: \tchunked\t '], '3\r\nabc\r\n0\r\n\r\n'),
      CHUNKS,
    ),
    inChunks(
      'chunks after Expect: 100-continue',
      chunked('3\r\nabc\r\n0\r\n\r\n', 'Expect: 100-continue'),
      CHUNKS,
    ),
    extended('an extension', '3;b=c\r\nabc\r\n0\r\n\r\n'),
    extended('an extension without a value', '3;b\r\nabc\r\n0\r\n\r\n'),
    extended('an extension of the last', '3\r\nabc\r\n0;b=c\r\n\r\n'),
    trailed('a trailer', 'X-A: b\r\n', 'X-A: b\r\n'),
    trailed('a trailer that no trailer may be, which goes', 'Content-Length: 5\r\nX-A: b\r\n', 'X-A: b\r\n'),
    onUws(badChunks('a folded trailer', '3\r\nabc\r\n0\r\nX-A: b\r\n c\r\n\r\n'), {
      outcome: aborted('', '', CHUNKS, [505]).outcome,
      why: NO_TRAILERS,
    }),
    lenient('a space behind a size', '3 \r\nabc\r\n0\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    lenient('lines that end in LF', '3\nabc\n0\n\n', '3\r\nabc\r\n0\r\n\r\n'),
    lenient('a byte more than the size', '3\r\nabcX\r\n0\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    badChunks('a minus', '-3\r\nabc\r\n0\r\n\r\n'),
    badChunks('a plus', '+3\r\nabc\r\n0\r\n\r\n'),
    badChunks('0x in front', '0x3\r\nabc\r\n0\r\n\r\n'),
    unended('no digit', 'g\r\nabc\r\n0\r\n\r\n'),
    badChunks('a size of seventeen digits', '10000000000000003\r\nabc\r\n0\r\n\r\n'),
    badChunks('a size of sixteen digits', 'ffffffffffffffff\r\nabc\r\n0\r\n\r\n'),
    lenient('NUL in a size', '3\0\r\nabc\r\n0\r\n\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    lenient('a byte above 0x7f in a size', '\xe9\r\nabc\r\n0\r\n\r\n', '0\r\n\r\n'),
  ]),
};

export const CODINGS: Chapter = {
  title: '9 Transfer-Encoding, and both',
  cases: numbered(9, [
    onUws(
      refused('gzip and chunked', post(['Transfer-Encoding: gzip, chunked'], '3\r\nabc\r\n0\r\n\r\n'), 501),
      { outcome: refused('', '').outcome, why: ONE_STATUS },
    ),
    coding('gzip', 'Transfer-Encoding: gzip'),
    coding('identity', 'Transfer-Encoding: identity'),
    coding('chunked before identity', 'Transfer-Encoding: chunked, identity'),
    coding('chunked twice', 'Transfer-Encoding: chunked, chunked'),
    coding('two headers', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    coding('two headers, one of another coding', 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'),
    coding('two headers, one of them empty', 'Transfer-Encoding:', 'Transfer-Encoding: chunked'),
    coding('a comma behind', 'Transfer-Encoding: chunked,'),
    coding('a comma in front', 'Transfer-Encoding: ,chunked'),
    coding('a parameter', 'Transfer-Encoding: chunked;q=1'),
    coding('quotes', 'Transfer-Encoding: "chunked"'),
    coding('something in front', 'Transfer-Encoding: xchunked'),
    coding('something behind', 'Transfer-Encoding: chunkedx'),
    coding('nothing', 'Transfer-Encoding:'),
    passes(
      'an underscore in the name, which goes',
      post(['Transfer_Encoding: chunked', ...length('3')], 'abc'),
      ABC,
    ),
    coding('DEL', 'Transfer-Encoding: chunked\x7f'),
    coding('chunked and a length', 'Transfer-Encoding: chunked', 'Content-Length: 3'),
    coding('a length and chunked', 'Content-Length: 13', 'Transfer-Encoding: chunked'),
    coding('a length of 0 and chunked', 'Content-Length: 0', 'Transfer-Encoding: chunked'),
    coding('another coding and a length', 'Transfer-Encoding: identity', 'Content-Length: 13'),
    unreadHead('a space in front of the colon', post(['Transfer-Encoding : chunked'], '0\r\n\r\n')),
    unreadHead('a vertical tab', post(['Transfer-Encoding: \x0bchunked'], '0\r\n\r\n')),
    unreadHead('a folded line', post(['Transfer-Encoding:', ' chunked'], '0\r\n\r\n')),
    unreadHead(
      'a line that begins with a space',
      post(['X-A: b', ' Transfer-Encoding: chunked'], '0\r\n\r\n'),
    ),
    unreadHead('a line behind CR', post(['X-A: b\rTransfer-Encoding: chunked'], '0\r\n\r\n')),
  ]),
};
