import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RouteMatch } from '../../../../../src/config/types/route.ts';
import { errorsOf, load, routeOf, routes, warningsOf } from '../../load.ts';

const match = (text: string): RouteMatch => routeOf(load(routes(`{ match: ${text}, respond: {} }`))).match;
const matchErrors = (text: string): string[] => errorsOf(routes(`{ match: ${text}, respond: {} }`));

describe('match', () => {
  it('reads every condition', () => {
    assert.deepEqual(
      match(
        '{ host: "*.Example.COM", pathPrefix: /Chat, pathRegex: "^/Chat/\\\\d", headers: { X-Tier: Gold }, query: { V: "2", e: "" }, subprotocol: "Chat:v2/x" }',
      ),
      {
        hosts: ['*.example.com'],
        path: null,
        pathPrefix: '/Chat',
        pathRegex: '^/Chat/\\d',
        headers: new Map([['x-tier', 'Gold']]),
        query: new Map([
          ['V', '2'],
          ['e', ''],
        ]),
        subprotocol: 'Chat:v2/x',
        clientCertificate: null,
      },
    );
    assert.equal(match('{ path: "/a%20b/!$&()*+,;=:@~\'" }').path, "/a%20b/!$&()*+,;=:@~'");
    for (const host of ['10.0.0.1', '[::1]', 'a', 'a-b.c_d', '*.com']) {
      assert.deepEqual(match(`{ host: '${host}' }`).hosts, [host]);
    }
  });

  it('must name a path that a request can have', () => {
    const reason = (key: string, text: string, paths = '{}'): string => {
      const listener = routes(`{ match: { ${key}: '${text}' }, respond: {} }`).replace(
        /^( *)routes:/m,
        `$1paths: ${paths}\n$1routes:`,
      );
      const [error = '', ...more] = errorsOf(listener);
      assert.deepEqual(more, []);
      return error;
    };
    for (const key of ['path', 'pathPrefix']) {
      const place = `7:${22 + key.length}: ${key}: `;
      for (const [text, part, paths, why] of [
        ['/a%zz', '%zz', '{}', 'it is not an escape. Write %25 for "%"'],
        ['/a\\b', '\\', '{}', 'paths with it are refused. Write %5C'],
        ['/a%00', '%00', '{}', 'paths with it are refused. Leave it out'],
        ['/a//b', '//', '{ mergeSlashes: true }', '"mergeSlashes: true" applies first. Write one slash'],
        [
          '/a;b',
          ';',
          '{ pathParameters: strip }',
          '"pathParameters: strip" applies first. Write keep there, or leave it out here',
        ],
        [
          '/a%2fb',
          '%2f',
          '{ escapedSlashes: decode }',
          '"escapedSlashes: decode" applies first. Write keep there, or "/" here',
        ],
        [
          '/a%5Cb',
          '%5C',
          '{ escapedSlashes: refuse }',
          '"escapedSlashes: refuse" applies first. Write keep there, or another path here',
        ],
      ] as const) {
        assert.equal(reason(key, text, paths), `${place}no path has ${JSON.stringify(part)}: ${why}`);
      }
    }
    for (const text of ['/a//b', '/a;b', '/a%2fb', '/caf%c3%a9', '/%61', '/x/../y', '/50%25']) {
      assert.equal(reason('path', text), '', text);
    }
    assert.equal(reason('path', '/a%3Bb', '{ pathParameters: strip }'), '');
  });

  it('warns of literal text in an expression that no path contains', () => {
    const warnings = (expression: string): string[] =>
      warningsOf(routes(`{ match: { pathRegex: '${expression}' }, cluster: app }`)).map((warning) =>
        warning.replace(/^6:31: pathRegex: no path has /, ''),
      );
    for (const [expression, part, why] of [
      ['^/r%c3%A9$', '%c3', 'escapes become upper case first. Write %C3'],
      ['^/(?:a|b%2f)x', '%2f', 'escapes become upper case first. Write %2F'],
      ['^/%61dmin', '%61', 'this escape is decoded first. Write a'],
      ['(?i)^/%41', '%41', 'this escape is decoded first. Write A'],
      ['^/é', 'é', 'paths contain it escaped. Write %C3%A9'],
      ['^/[aé]x', 'é', 'paths contain it escaped. Write %C3%A9'],
      ['^/\\x{e9}', 'é', 'paths contain it escaped. Write %C3%A9'],
      ['^/a b', ' ', 'paths contain it escaped. Write %20'],
      ['^/a\\tb', '\t', 'paths contain it escaped. Write %09'],
      ['^/\\Qa b\\E', ' ', 'paths contain it escaped. Write %20'],
      ['^/x\\?debug', '?', 'the query is not part of the path. Leave it out and use "query"'],
      ['^/a%zz', '%zz', 'it is not an escape. Write %25 for "%"'],
      ['^/a\\\\b', '\\', 'paths with it are refused. Write %5C'],
    ] as const) {
      assert.deepEqual(warnings(expression), [`${JSON.stringify(part)}: ${why}`], expression);
    }
    for (const expression of [
      '^/s%C3%A9$',
      '(?i)^/r%c3%a9$',
      '(?P<name>%C3)%2[fF]',
      '^/a%2F?b',
      '^/[^é]',
      '^/[[:alpha:]]+\\.\\d{2,3}$',
      '^/%[0-9]',
      '^/\\p{Greek}|\\s',
      '^/a{1,2}//;%2F',
    ]) {
      assert.deepEqual(warnings(expression), [], expression);
    }
  });

  it('reads a list of hosts', () => {
    const { hosts } = match('{ host: [Example.com, "*.example.com", "[::1]"] }');
    assert.deepEqual(hosts, ['example.com', '*.example.com', '[::1]']);
    assert.deepEqual(match('{}').hosts, []);
    assert.deepEqual(matchErrors('{ host: [] }'), [
      '6:20: host: the list is empty: write at least one of hosts',
    ]);
    assert.deepEqual(matchErrors('{ host: [a.example, "b:80", A.example] }'), [
      '6:38: host: "b:80" has a port, which is not matched: write the host alone',
      '6:46: host: "a.example" is listed twice: list it once',
    ]);
  });

  it('refuses hosts that no request can have', () => {
    const cases = [
      ['*', 'is the same as no host: leave the key out'],
      ['a.*.b', 'has a star inside: only "*." at the front can be matched'],
      ['*a.b', 'has a star inside'],
      ['*.', 'has a star inside'],
      ['a:80', 'has a port, which is not matched: write the host alone'],
      ['http://a', 'is not a host name'],
      ['a..b', 'is not a host name'],
      ['a b', 'is not a host name'],
      ['[::x]', 'is not a host name'],
      ['::1', 'needs brackets: write "[::1]"'],
      ['', 'is not a host name'],
    ] as const;
    for (const [host, message] of cases) {
      const [error = '', ...more] = matchErrors(`{ host: "${host}" }`);
      assert.ok(error.includes(message), `${host}: ${error}`);
      assert.deepEqual(more, []);
    }
  });

  it('refuses paths that no request can have', () => {
    for (const path of ['chat', '', '/a b', '/a?b', '/a#b', '/ä', 'http://a/']) {
      for (const key of ['path', 'pathPrefix']) {
        assert.match(matchErrors(`{ ${key}: "${path}" }`)[0] ?? '', /is not a path|"" is not/, path);
      }
    }
  });

  it('refuses conditions that an exact path makes redundant', () => {
    assert.deepEqual(matchErrors('{ path: /a, pathPrefix: /a }'), [
      '6:11: path matches one path exactly, and needs no pathPrefix beside it: keep one of them',
    ]);
    assert.equal(matchErrors('{ path: /a, pathRegex: a }').length, 1);
  });

  it('explains an invalid regular expression', () => {
    const syntax = 'write RE2 syntax (https://github.com/google/re2/wiki/Syntax)';
    for (const [source, message] of [
      ['^/(', `missing closing ) at "^/(": ${syntax}`],
      ['^/(a)\\1$', 'a backreference cannot run in linear time: write the alternatives out'],
      ['^/(?!admin)', 'lookaround cannot run in linear time: write several expressions without it'],
      ['(?<=/)a', 'lookaround cannot run in linear time: write several expressions without it'],
      ['a**', `invalid nested repetition operator at "**": ${syntax}`],
      ['(?:a{300}){4}', `invalid repeat count at "{4}": ${syntax}`],
      ['a{600}b{600}', 'its 1202 instructions exceed the max of 1000: repeat less, or split it over routes'],
    ] as const) {
      const shown = source.replace('\\\\', '\\');
      assert.deepEqual(matchErrors(`{ pathRegex: '${shown}' }`), [
        `6:31: pathRegex: ${JSON.stringify(shown)} cannot be used: ${message}`,
      ]);
    }
    assert.match(matchErrors(`{ pathRegex: '${'a'.repeat(2049)}' }`)[0] ?? '', /^6:31: .* 2049 characters/);
    assert.equal(matchErrors('{ pathRegex: "" }').length, 1);
  });

  it('refuses invalid header and query conditions', () => {
    assert.deepEqual(matchErrors('{ headers: { "x y": a } }'), [
      '6:38: x y: "x y" is not a header\'s name: write letters, digits and "-"',
    ]);
    assert.match(
      matchErrors('{ headers: { x-a: "1", X-A: "2" } }')[0] ?? '',
      /"x-a" is given twice \(case is ignored\)/,
    );
    assert.match(matchErrors('{ headers: { x-v: 2 } }')[0] ?? '', /x-v: 2 is not text: put it in quotes/);
    assert.match(matchErrors('{ headers: { x-v: "a\\r\\nb" } }')[0] ?? '', /control character/);
    assert.match(
      matchErrors('{ headers: [a] }')[0] ?? '',
      /a list is not a mapping: "headers" has names and values/,
    );
    assert.match(matchErrors('{ query: { v: true } }')[0] ?? '', /v: true is not text: put it in quotes/);
    assert.match(matchErrors('{ query: { "": a } }')[0] ?? '', /is not a query parameter's name/);
    assert.match(matchErrors('{ subprotocol: "a, b" }')[0] ?? '', /"a, b" is not a subprotocol/);
  });
});
