import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MATCH_ALL } from '../../../../../src/config/schema/route/route-match.ts';
import type { RouteMatch } from '../../../../../src/config/types/route.ts';
import { errorsOf, load, routeOf, routes, warningsOf } from '../../load.ts';

const match = (text: string): RouteMatch => routeOf(load(routes(`{ match: ${text}, respond: {} }`))).match;
const errors = (text: string): string[] => errorsOf(routes(`{ match: ${text}, respond: {} }`));

describe('a match that is a text', () => {
  it('is a host, a prefix of paths, or both', () => {
    for (const [text, long] of [
      ['Chat.example.com', '{ host: chat.example.com }'],
      ['"*.example.com"', '{ host: "*.example.com" }'],
      ['localhost', '{ host: localhost }'],
      ['10.0.0.1', '{ host: 10.0.0.1 }'],
      ['"[::1]"', '{ host: "[::1]" }'],
      ['/api', '{ pathPrefix: /api }'],
      ['/', '{ pathPrefix: / }'],
      ['/api/', '{ pathPrefix: /api/ }'],
      ['chat.example.com/api/v1', '{ host: chat.example.com, pathPrefix: /api/v1 }'],
      ['"*.example.com/api"', '{ host: "*.example.com", pathPrefix: /api }'],
      ['localhost/api', '{ host: localhost, pathPrefix: /api }'],
    ] as const) {
      assert.deepEqual(match(text), match(long), text);
    }
  });

  it('says what to write in place of another text', () => {
    for (const [text, error] of [
      ['api', '"api" may be a host or a path: write "/api" for a path, or { host: api } for a host'],
      ['/api/*', '"/api/*" has a star in its path: a path matches all paths below it, so write "/api"'],
      [
        'a.example/api*',
        '"a.example/api*" has a star in its path: a path matches all paths below it, so write "a.example/api"',
      ],
      ['/*', '"/*" has a star in its path: a path matches all paths below it, so write "/"'],
      ['https://a.example/x', '"https://a.example/x" is a URL: write "a.example/x", without https://'],
      ['^/a', '"^/a" is not a match: write an expression as { pathRegex: EXPRESSION }'],
      ['"*"', '"*" is the same as no host: leave the key out'],
      ['"*.*"', '"*.*" has a star inside: only "*." at the front can be matched'],
      ['a.example:80', '"a.example:80" has a port, which is not matched: write the host alone'],
      [
        'GET /a',
        '"GET /a" is not a match: write a host such as chat.example.com, a path such as /api, or both, such as ' +
          'chat.example.com/api',
      ],
      [
        'a.example/b?c',
        '"/b?c" is not a path: begin with "/", without spaces, "?" and "#", and percent-encode what is not ASCII',
      ],
    ] as const) {
      assert.deepEqual(errors(text), [`6:18: match: ${error}`], text);
    }
    assert.match(errors('""')[0] ?? '', /^6:11: match: "" is not a match: write a host/);
    assert.match(errors('5')[0] ?? '', /^6:18: match: 5 is not a mapping/);
    assert.match(errors('')[0] ?? '', /^6:11: match: an empty value is not a mapping/);
  });

  it('is checked against the paths of the listener', () => {
    assert.deepEqual(errors('a.example/b%zz'), [
      '6:18: match: no path has "%zz": it is not an escape. Write %25 for "%"',
    ]);
  });

  it('may come from the environment', () => {
    const text = routes('{ match: "${PLACE}/x", respond: {} }');
    const env = { PLACE: 'a.example' };
    assert.deepEqual(routeOf(load(text, { env })).match, match('{ host: a.example, pathPrefix: /x }'));
    assert.deepEqual(errorsOf(text, { env: { PLACE: 'a:1' } }), [
      '6:18: match: "a:1" has a port, which is not matched: write the host alone (from "${PLACE}/x")',
    ]);
  });

  it('shows no password of a URL, and has a remedy for a scheme alone', () => {
    assert.deepEqual(errors("'https://u:geheim@a.example/x'"), [
      '6:18: match: "https://u:(hidden)@a.example/x" is a URL: write "a.example/x", without https://',
    ]);
    assert.match(errors("'https://'")[0] ?? '', /is a URL: write a host such as chat\.example\.com/);
  });
});

describe('a match that is a list', () => {
  it('has hosts', () => {
    assert.deepEqual(match('[a.example, "*.b.example", c]').hosts, ['a.example', '*.b.example', 'c']);
  });

  it('has no paths, and its errors are at their entries', () => {
    assert.deepEqual(errors('[a.example, b.example/x]'), [
      '6:30: match: "b.example/x" has a path, and a list has hosts only: write a route for each, or ' +
        '{ host: [HOSTS], pathPrefix: PATH }',
    ]);
    assert.deepEqual(errors('[a.example, A.example, 7]'), [
      '6:30: match: "a.example" is listed twice: list it once',
      '6:41: match: 7 is not text: put it in quotes',
    ]);
    assert.deepEqual(errors('[]'), ['6:11: match: the list is empty: write at least one of hosts']);
  });
});

describe('a route without a match', () => {
  it('matches every request', () => {
    assert.deepEqual(routeOf(load(routes('{ respond: {} }'))).match, MATCH_ALL);
  });

  it('leaves nothing for later routes, which is a warning', () => {
    const text = routes('{ name: all, respond: {} }', '{ name: late, match: /a, respond: {} }');
    assert.match(warningsOf(text).join('\n'), /the route "late" is never reached: the route "all" before it/);
  });
});
