/** Header fields: Host, syntax, and what belongs to one connection. */
import {
  HOST,
  get,
  numbered,
  onUws,
  passes,
  passesOnce,
  received,
  refused,
  request,
  waits,
} from '../building.ts';
import type { Chapter } from '../case.ts';
import { HIGH_BYTES, NAMELESS, NO_ANSWER, NO_TRAILERS_OF_ENDPOINTS } from './reasons.ts';

const LINE = 'GET /a HTTP/1.1\r\n';
const forHost = (host: string): string => `${LINE}Host: ${host}\r\n\r\n`;
const host = (sends: string, value: string, upstream = value): ReturnType<typeof passes> =>
  passes(sends, forHost(value), received('GET /a', { host: upstream }));
const badHost = (sends: string, value: string): ReturnType<typeof passes> => refused(sends, forHost(value));
/** One header line, and what of it reaches the endpoint. */
const line = (sends: string, sent: string, ...lines: string[]): ReturnType<typeof passes> =>
  passes(sends, get(...sent.split('\r\n')), received('GET /a', { lines }));
/** One header line that uWebSockets.js damages. */
const damaged = (sends: string, sent: string, onArrival: string): ReturnType<typeof passes> =>
  onUws(line(sends, sent, sent), {
    outcome: line(sends, sent, onArrival).outcome,
    why: HIGH_BYTES,
  });
const unread = (sends: string, ...lines: string[]): ReturnType<typeof passes> =>
  onUws(refused(sends, get(...lines)), NO_ANSWER);

export const HOSTS: Chapter = {
  title: '4 Host',
  cases: numbered(4, [
    host('a name', 'app.example'),
    host('a name with a port', 'app.example:8080'),
    host('a name with an empty port', 'app.example:'),
    host('a name in upper case, which stays', 'APP.Example'),
    host('a name with a dot at its end', 'app.example.'),
    host('an IPv4 address', '127.0.0.1'),
    host('an IPv6 address with a port', '[::1]:80'),
    host('white space around it', ' \tapp.example\t ', 'app.example'),
    onUws(refused('none', `${LINE}\r\n`), NO_ANSWER),
    refused('an empty one', forHost('')),
    refused('two', get('Host: other.example')),
    refused('two that are the same', get(`Host: ${HOST}`)),
    badHost('two in one line', 'app.example, other.example'),
    badHost('a user', 'user@app.example'),
    badHost('a path', 'app.example/a'),
    badHost('a query', 'app.example?a'),
    badHost('a space', 'app.example other.example'),
    badHost('a port that is none', 'app.example:http'),
    badHost('a port that is too large', 'app.example:65536'),
    badHost('an empty label', 'app..example'),
    badHost('an escape', 'app%2eexample'),
    badHost('an IPv6 address without brackets', '::1'),
    badHost('brackets around what is no address', '[app]'),
    badHost('a bracket that does not end', '[::1'),
    host('every sub-delimiter of RFC 3986, and an underscore', "a!$&'()*+,;=b_.example"),
  ]),
};

export const SYNTAX: Chapter = {
  title: '5 Header fields',
  cases: numbered(5, [
    line('a value', 'X-A: b', 'X-A: b'),
    line('no space behind the colon', 'X-A:b', 'X-A: b'),
    line('white space around the value', 'X-A: \t b \t ', 'X-A: b'),
    line('white space inside the value, which stays', 'X-A: b \t c', 'X-A: b \t c'),
    line('an empty value', 'X-A:', 'X-A: '),
    line('a value of spaces', 'X-A:   ', 'X-A: '),
    line('a colon in the value', 'X-A: b:c', 'X-A: b:c'),
    line('quotes and commas', 'X-A: "b, c", d', 'X-A: "b, c", d'),
    line('every character of a token in the name', "!#$%&'*+-.^`|~9: b", "!#$%&'*+-.^`|~9: b"),
    line('a name in mixed case, which stays', 'x-MiXeD: b', 'x-MiXeD: b'),
    line('the same name twice, in order', 'X-A: 1\r\nX-A: 2', 'X-A: 1', 'X-A: 2'),
    line('cookies in two lines', 'Cookie: a=1\r\nCookie: b=2', 'Cookie: a=1', 'Cookie: b=2'),
    line('UTF-8 inside a value', 'X-A: caf\xc3\xa9s', 'X-A: caf\xc3\xa9s'),
    damaged('UTF-8 at the end of a value', 'X-A: caf\xc3\xa9', 'X-A: caf'),
    damaged('Latin-1 inside a value', 'X-A: caf\xe9s', 'X-A: caf\xef\xbf\xbds'),
    damaged('a byte above 0x7f alone', 'X-A: \xe9', 'X-A: '),
    line('an underscore in a name, which goes', 'X_A: b'),
    line('Content_Length, which goes', 'Content_Length: 3'),
    refused('DEL in a value', get('X-A: b\x7fc')),
    onUws(refused('no name', get(': b')), { outcome: passes('no name', get()).outcome, why: NAMELESS }),
    unread('a space in front of the colon', 'X-A : b'),
    unread('a tab in front of the colon', 'X-A\t: b'),
    unread('a space inside a name', 'X A: b'),
    unread('a line without a colon', 'X-A'),
    unread('a slash in a name', 'X/A: b'),
    unread('a byte above 0x7f in a name', 'X-\xe9: b'),
    unread('NUL in a name', 'X-\0A: b'),
    unread('NUL in a value', 'X-A: b\0c'),
    unread('a control character in a value', 'X-A: b\x01c'),
    unread('ESC in a value', 'X-A: b\x1bc'),
    unread('CR inside a value', 'X-A: b\rc'),
    unread('CR at the end of a value', 'X-A: b\r'),
    unread('LF inside a value, and what looks like a line behind it', 'X-A: b\nX-B: c'),
    unread('a folded line', 'X-A: b', ' c'),
    unread('a line folded by a tab', 'X-A: b', '\tc'),
    onUws(refused('a first line that is folded', `${LINE} Host: ${HOST}\r\n\r\n`), NO_ANSWER),
    onUws(refused('lines that end in LF', `${LINE}Host: ${HOST}\nX-A: b\n\n`), NO_ANSWER),
    onUws(refused('an empty line of LF alone', `${LINE}Host: ${HOST}\r\n\n`), NO_ANSWER),
    waits('no empty line yet', `${LINE}Host: ${HOST}\r\n`),
  ]),
};

/** A request whose hop-by-hop headers are removed and whose other headers pass. */
const hop = (sends: string, ...lines: string[]): ReturnType<typeof passes> => passes(sends, get(...lines));
const lastHop = (sends: string, ...lines: string[]): ReturnType<typeof passes> =>
  passesOnce(sends, get(...lines));

export const CONNECTION: Chapter = {
  title: '6 What is told to the next hop',
  cases: numbered(6, [
    hop('Connection: keep-alive', 'Connection: keep-alive'),
    lastHop('Connection: close', 'Connection: close'),
    hop('Keep-Alive', 'Connection: keep-alive', 'Keep-Alive: timeout=5'),
    hop('Proxy-Connection', 'Proxy-Connection: keep-alive'),
    hop('Proxy-Authorization', 'Proxy-Authorization: Basic YTpi'),
    onUws(
      passes(
        'TE: trailers, which is ours to say as well',
        get('TE: trailers', 'Connection: TE'),
        received('GET /a', { framing: 'TE: trailers\r\nConnection: TE' }),
      ),
      { outcome: passes('', '').outcome, why: NO_TRAILERS_OF_ENDPOINTS },
    ),
    hop('another TE', 'TE: gzip', 'Connection: TE'),
    hop('Trailer', 'Trailer: X-A'),
    hop('a header that Connection names', 'X-A: b', 'Connection: x-a'),
    hop('several headers that Connection names', 'X-A: b', 'X-B: c', 'Connection: X-B , keep-alive,,x-a'),
    hop('two Connection headers', 'X-A: b', 'X-B: c', 'Connection: X-A', 'Connection: X-B'),
    passes('Connection that names Host, which stays', get('Connection: host')),
    passes('Connection that names X-Forwarded-For, which is ours', get('Connection: x-forwarded-for')),
    passes(
      'Connection that names Content-Length, which stays',
      request('POST /a HTTP/1.1', ['Connection: content-length', 'Content-Length: 3'], 'abc'),
      received('POST /a', { framing: 'Content-Length: 3', body: 'abc' }),
    ),
    hop(
      'an upgrade to HTTP/2',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
    ),
    hop('an upgrade to something else', 'Connection: Upgrade', 'Upgrade: TLS/1.0'),
    hop('two Upgrade headers', 'Upgrade: h2c', 'Upgrade: TLS/1.0'),
    refused(
      'an upgrade to WebSocket without a key',
      get('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'),
    ),
    hop('X-Forwarded-For of a stranger', 'X-Forwarded-For: 10.0.0.1'),
    hop(
      'every other header of that kind',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: b',
      'X-Forwarded-Port: 1',
      'X-Forwarded-Prefix: /b',
      'X-Real-IP: 10.0.0.1',
      'Forwarded: for=10.0.0.1',
      'X-Request-Id: b',
    ),
    line('Via, which is added to', 'Via: 1.0 other', 'Via: 1.0 other'),
    line(
      'authorization and conditions',
      'Authorization: Bearer b\r\nIf-None-Match: "c"\r\nRange: bytes=0-1',
      'Authorization: Bearer b',
      'If-None-Match: "c"',
      'Range: bytes=0-1',
    ),
    line('Accept-Encoding', 'Accept-Encoding: gzip, br', 'Accept-Encoding: gzip, br'),
    hop('an upgrade to WebSocket without its connection option', 'Upgrade: websocket'),
  ]),
};
