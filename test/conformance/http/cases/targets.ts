/** The request line: method, target, version. */
import { get, numbered, onUws, passes, passesOnce, received, refused, request } from '../building.ts';
import type { Chapter } from '../case.ts';
import {
  CUT_LINE,
  EMPTY_QUERY,
  HTTP_1_1_ONLY,
  NO_ANSWER,
  ORIGIN_FORM_ONLY,
  WRONG_STATUS,
} from './reasons.ts';

const to = (target: string): string => request(`GET ${target} HTTP/1.1`);
/** A target that goes upstream as it is, or as something else. */
const target = (sends: string, sent: string, upstream = sent): ReturnType<typeof passes> =>
  passes(sends, to(sent), received(`GET ${upstream}`));
const bad = (sends: string, sent: string): ReturnType<typeof passes> => refused(sends, to(sent));
const unread = (sends: string, bytes: string): ReturnType<typeof passes> =>
  onUws(refused(sends, bytes), WRONG_STATUS);

export const REQUEST_LINE: Chapter = {
  title: '1 The request line',
  cases: numbered(1, [
    passes('GET', get()),
    passes('HEAD', request('HEAD /a HTTP/1.1'), received('HEAD /a')),
    passes('OPTIONS', request('OPTIONS /a HTTP/1.1'), received('OPTIONS /a')),
    passes('DELETE without a body', request('DELETE /a HTTP/1.1'), received('DELETE /a')),
    passes('PATCH without a body', request('PATCH /a HTTP/1.1'), received('PATCH /a')),
    refused('TRACE', request('TRACE /a HTTP/1.1'), 405),
    passes('a method that nobody knows', request('BREW /a HTTP/1.1'), received('BREW /a')),
    passes(
      'a method with every character of a token',
      request("M!#$%&'*+-.^_`|~9 /a HTTP/1.1"),
      received("M!#$%&'*+-.^_`|~9 /a"),
    ),
    passes('a method in lower case, which is another method', request('get /a HTTP/1.1'), received('get /a')),
    refused('a method with an @', request('G@T /a HTTP/1.1')),
    refused('a method with a colon', request('GET: /a HTTP/1.1')),
    unread('a method with a byte above 0x7f', request('G\xc9T /a HTTP/1.1')),
    refused('a method in quotes', request('"GET" /a HTTP/1.1')),
    refused('no method', request(' /a HTTP/1.1')),
    unread('CONNECT', 'CONNECT app.example:443 HTTP/1.1\r\nHost: app.example:443\r\n\r\n'),
    refused('CONNECT with a path', request('CONNECT /a HTTP/1.1')),
    unread('two spaces behind the method', request('GET  /a HTTP/1.1')),
    unread('two spaces before the version', request('GET /a  HTTP/1.1')),
    unread('a space behind the version', request('GET /a HTTP/1.1 ')),
    unread('tabs for spaces', request('GET\t/a\tHTTP/1.1')),
    unread('no target', request('GET HTTP/1.1')),
    unread('a line that ends in LF', request('GET /a HTTP/1.1').replace('\r\n', '\n')),
    onUws(passes('an empty line in front', `\r\n${get()}`), NO_ANSWER),
    {
      ...onUws(passes('a line that is cut in its version', get()), CUT_LINE),
      first: 'GET /a HTTP'.length,
    },
    { ...passes('a line that is cut in its target', get()), first: 'GET /'.length },
    unread('a space in front', ` ${get()}`),
  ]),
};

export const TARGETS: Chapter = {
  title: '2 The target',
  cases: numbered(2, [
    target('the root', '/'),
    target('a query', '/a?b=c&d=e'),
    target('a query with question marks and slashes', '/a?b?c/d?e'),
    target('a query with an escape that is none', '/a?b=%zz'),
    target('a query with characters that browsers leave as they are', '/a?b="<>\'{}|^`\\[]'),
    onUws(target('an empty query', '/a?'), {
      outcome: target('', '/a?', '/a').outcome,
      why: EMPTY_QUERY,
    }),
    target('every character that a segment may have', "/-._~!$&'()*+,;=:@"),
    target('escapes in upper case', '/%C3%A9%2F'),
    target('escapes in lower case, which come in upper case', '/%c3%a9%2f', '/%C3%A9%2F'),
    target('escapes of letters, which come as letters', '/%61%2Db', '/a-b'),
    target('dot segments, which are removed', '/a/./b/../c', '/a/c'),
    target('dot segments that climb past the root', '/a/../../../b', '/b'),
    target('dot segments in escapes', '/a/%2e%2E/b', '/b'),
    target('a dot segment at the end', '/a/b/..', '/a/'),
    target('segments that begin with dots', '/.well-known/...'),
    target('an escaped slash in a dot segment', '/a/..%2fb', '/a/..%2Fb'),
    target('two slashes in front', '//b/a'),
    target('empty segments', '/a//b///'),
    target('a semicolon and a colon', '/a;b=c:d'),
    bad('an escape that is none', '/%zz'),
    bad('an escape that is cut', '/a%2'),
    bad('an escaped NUL', '/a%00b'),
    bad('a backslash', '/a\\b'),
    bad('a fragment', '/a#b'),
    bad('a fragment behind a query', '/a?b#c'),
    bad('a byte above 0x7f', '/caf\xe9'),
    bad('UTF-8', '/caf\xc3\xa9'),
    bad('a byte above 0x7f in the query', '/a?caf\xe9'),
    bad('DEL', '/a\x7fb'),
    bad('DEL in the query', '/a?b\x7fc'),
    unread('NUL', to('/a\0b')),
    unread('a control character', to('/a\x01b')),
    unread('a tab', to('/a\tb')),
    onUws(refused('CR', to('/a\rb')), NO_ANSWER),
    unread('LF', to('/a\nb')),
    unread('a space', to('/a b')),
    unread('a space in the query', to('/a?b c')),
    unread('no slash in front', to('a')),
    unread('an authority', to('app.example:80')),
    onUws(passes('the absolute form', to('http://app.example/a')), ORIGIN_FORM_ONLY),
    onUws(
      passes(
        'the absolute form with another host than Host',
        to('http://other.example/a'),
        received('GET /a', { host: 'other.example' }),
      ),
      ORIGIN_FORM_ONLY,
    ),
    onUws(
      passes('the asterisk form', request('OPTIONS * HTTP/1.1'), received('OPTIONS *')),
      ORIGIN_FORM_ONLY,
    ),
    unread('the asterisk form of a GET', request('GET * HTTP/1.1')),
  ]),
};

export const VERSIONS: Chapter = {
  title: '3 The version',
  cases: numbered(3, [
    onUws(passesOnce('HTTP/1.0', request('GET /a HTTP/1.0')), HTTP_1_1_ONLY),
    onUws(
      passes('HTTP/1.0 with keep-alive', request('GET /a HTTP/1.0', ['Connection: keep-alive'])),
      HTTP_1_1_ONLY,
    ),
    onUws(
      passesOnce(
        'HTTP/1.0 without Host',
        'GET /a HTTP/1.0\r\n\r\n',
        received('GET /a', { host: 'app', isHostOurs: true }),
      ),
      HTTP_1_1_ONLY,
    ),
    onUws(refused('HTTP/0.9', 'GET /a\r\n'), NO_ANSWER),
    onUws(passes('HTTP/1.2, which is read as HTTP/1.1', request('GET /a HTTP/1.2')), HTTP_1_1_ONLY),
    refused('HTTP/2.0', request('GET /a HTTP/2.0'), 505),
    refused("HTTP/2's preface", 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
    unread('HTTP/11.1', request('GET /a HTTP/11.1')),
    unread('HTTP/1.', request('GET /a HTTP/1.')),
    unread('a version in lower case', request('GET /a http/1.1')),
    unread('another protocol', request('GET /a ICE/1.1')),
    unread("TLS's first bytes", '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  ]),
};
