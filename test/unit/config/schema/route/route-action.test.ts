import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { RouteAction } from '../../../../../src/config/types/route.ts';
import { errorsOf, inDirectory, load, routeOf, routes, warningsOf } from '../../load.ts';

const action = (text: string): RouteAction => routeOf(load(routes(`{ match: {}, ${text} }`))).action;
const actionErrors = (text: string): string[] => errorsOf(routes(`{ match: {}, ${text} }`));

describe('cluster action', () => {
  it('strips a prefix without a trailing slash', () => {
    const stripped = (condition: string, prefix: string): RouteAction =>
      routeOf(load(routes(`{ match: { ${condition} }, cluster: app, rewrite: { stripPrefix: ${prefix} } }`)))
        .action;
    const expected = {
      kind: 'cluster',
      cluster: 'app',
      upgrade: 'also',
      rewrite: { host: null, stripPrefix: '/chat', path: null },
    };
    assert.deepEqual(stripped('pathPrefix: /chat', '/chat'), expected);
    assert.deepEqual(stripped('pathPrefix: /chat', '/chat/'), expected);
    assert.deepEqual(stripped('path: /chat/room', '/chat'), expected);
    assert.deepEqual(stripped('pathRegex: ^/chat/', '/chat'), expected);
  });

  it('refuses a prefix that the path does not begin with', () => {
    const errors = (condition: string, prefix: string): string[] =>
      errorsOf(routes(`{ match: { ${condition} }, cluster: app, rewrite: { stripPrefix: ${prefix} } }`));
    assert.match(
      errors('pathPrefix: /b', '/chat')[0] ?? '',
      /stripPrefix: "\/chat" is not at the front of "\/b"/,
    );
    assert.match(errors('path: /chatter', '/chat')[0] ?? '', /is not at the front of/);
    assert.match(errors('pathPrefix: /a', '/')[0] ?? '', /leaves every path as it is/);
    assert.match(errors('pathPrefix: /a', 'a')[0] ?? '', /is not a path/);
    assert.match(
      errorsOf(routes('{ match: {}, cluster: app, rewrite: {} }'))[0] ?? '',
      /"rewrite" needs one of/,
    );
  });

  it('warns of a prefix that only some of the paths have', () => {
    const text = routes('{ match: {}, cluster: app, rewrite: { stripPrefix: /a } }');
    assert.match(warningsOf(text)[0] ?? '', /only paths under "\/a" are changed/);
  });

  it('refuses a path with a dot segment', () => {
    const errors = (path: string): string[] =>
      errorsOf(routes(`{ match: { pathRegex: '^/(.*)$' }, cluster: app, rewrite: { path: '${path}' } }`));
    assert.match(
      errors('/a/../$1')[0] ?? '',
      /path: "\/a\/..\/\$1" has a dot segment: write the path without "\." and "\.\."$/,
    );
    assert.match(errors('/a/.')[0] ?? '', /has a dot segment/);
    assert.deepEqual(errors('/.a/..b/$1'), []);
  });

  it('is the only one with a rewrite', () => {
    assert.deepEqual(actionErrors('respond: {}, rewrite: { stripPrefix: /a }'), [
      '6:35: rewrite changes what goes to a cluster: this route has none',
    ]);
  });
});

describe('static action', () => {
  it('serves an existing directory', () => {
    mkdirSync(inDirectory('site'), { recursive: true });
    assert.deepEqual(action('static: { root: site, index: home.htm }'), {
      kind: 'static',
      root: inDirectory('site'),
      index: 'home.htm',
      fallback: null,
      precompressed: false,
      cacheControl: null,
    });
    assert.deepEqual(actionErrors('static: { root: ./nope }'), [
      '6:38: root: "./nope" cannot be used: directory not found (looked for nope)',
    ]);
    assert.match(actionErrors('static: { root: sluice.yaml }')[0] ?? '', /"sluice.yaml" is not a directory/);
    assert.deepEqual(actionErrors('static: {}'), ['6:22: "static" needs "root"']);
  });

  it('accepts an index that is a name, not a path', () => {
    for (const index of ['a/b', '..', '.', '', 'a\\b', '/']) {
      assert.match(
        actionErrors(`static: { root: ., index: '${index}' }`)[0] ?? '',
        /is not a file name/,
        index,
      );
    }
  });
});

describe('respond action', () => {
  it('reads the status, the body and the content type', () => {
    assert.deepEqual(action('respond: {}'), {
      kind: 'respond',
      status: 200,
      body: '',
      contentType: 'text/plain; charset=utf-8',
    });
    assert.deepEqual(action('respond: { status: 503, body: "{}\\n", contentType: application/json }'), {
      kind: 'respond',
      status: 503,
      body: '{}\n',
      contentType: 'application/json',
    });
  });

  it('refuses invalid responses', () => {
    assert.match(actionErrors('respond: { status: 101 }')[0] ?? '', /101 is out of range: write 200 to 599/);
    assert.match(
      actionErrors('respond: { status: 204, body: x }')[0] ?? '',
      /body: a response of status 204 has no body/,
    );
    assert.match(actionErrors('respond: { body: 5 }')[0] ?? '', /body: 5 is not text: put it in quotes/);
    assert.match(actionErrors('respond: { contentType: "a\\r\\nX: y" }')[0] ?? '', /control character/);
  });
});

describe('redirect action', () => {
  it('reads the target and the status', () => {
    assert.deepEqual(action('redirect: { to: "https://example.com/" }'), {
      kind: 'redirect',
      to: 'https://example.com/',
      status: 308,
    });
    const text = routes(
      '{ match: { pathRegex: "^/(a)(?<b>b)(?:c)" }, redirect: { to: "/$2/$1", status: 301 } }',
    );
    assert.deepEqual(routeOf(load(text)).action, { kind: 'redirect', to: '/$2/$1', status: 301 });
  });

  it('refuses groups that the regular expression does not have', () => {
    const errors = (regex: string): string[] =>
      errorsOf(routes(`{ match: { pathRegex: '${regex}' }, redirect: { to: /$1/$2 } }`));
    assert.deepEqual(errors('(a)(b)'), []);
    assert.deepEqual(errors('(a)|(b)'), []);
    assert.match(errors('(a)')[0] ?? '', /to: \$2 is group 2 of pathRegex, but pathRegex has one group/);
    assert.match(errors('(?:a)\\(')[0] ?? '', /but pathRegex has no groups/);
    assert.match(actionErrors('redirect: { to: /$1 }')[0] ?? '', /but the match has no pathRegex/);
    assert.equal(errors('(').length, 1, 'an invalid expression causes only one error');
  });

  it('accepts parts of the request in the target', () => {
    for (const to of [
      'https://$host$path$query',
      'https://$host:8443$path',
      'https://www.$host/$path#$path',
      'https://id.example/?back=https://$host$path$query&x=1',
      '$path/',
      '/n$query#top',
      '/$$host',
    ]) {
      assert.deepEqual(actionErrors(`redirect: { to: '${to}' }`), [], to);
    }
  });

  it('refuses unknown names, and dollar signs without a name', () => {
    const write = 'write $host, $path, $query, $1 to $9, or $$ for a dollar sign';
    for (const [to, fault] of [
      ['https://$hostname$path', '$hostname is unknown'],
      ['https://$host$uri', '$uri is unknown'],
      ['/a$', '"/a$" has a "$" without a name'],
      ['/$0', '"/$0" has a "$" without a name'],
    ]) {
      assert.deepEqual(actionErrors(`redirect: { to: '${to}' }`), [`6:38: to: ${fault}: ${write}`], to);
    }
    assert.deepEqual(actionErrors("cluster: app, rewrite: { path: '/a$path' }"), [
      '6:53: path: $path is for redirect.to: write $1 to $9, or $$ for a dollar sign',
    ]);
  });

  it('refuses a path without a host, and a query that is not at the end', () => {
    assert.deepEqual(actionErrors("redirect: { to: 'https://$path' }"), [
      '6:38: to: $path needs a host before it, such as https://$host$path',
    ]);
    for (const to of ['/x$query/y', '/x$query?z=1', 'https://$host$query$path']) {
      assert.deepEqual(
        actionErrors(`redirect: { to: '${to}' }`),
        ['6:38: to: $query begins with "?": write it at the end, or as a value behind a "?"'],
        to,
      );
    }
    assert.match(actionErrors("redirect: { to: '/../x$path' }")[0] ?? '', /has a dot segment/);
  });

  it('refuses invalid targets and statuses', () => {
    for (const to of ['', 'new', '//$1 x', 'ftp://a', '$1', '$paths', '$host', 'javascript:alert(1)']) {
      assert.match(actionErrors(`redirect: { to: '${to}' }`)[0] ?? '', /is not a redirect's target/, to);
    }
    assert.match(
      actionErrors('redirect: { to: /, status: 200 }')[0] ?? '',
      /write one of 301, 302, 303, 307, 308/,
    );
    assert.deepEqual(actionErrors('redirect: {}'), ['6:22: "redirect" needs "to"']);
  });
});

describe('an action that is one value', () => {
  const long = (text: string): RouteAction => routeOf(load(routes(`{ ${text} }`))).action;

  it('is the target, the directory or the status', () => {
    mkdirSync(inDirectory('public'), { recursive: true });
    for (const [short, whole] of [
      ['redirect: "https://www.$host$path"', 'redirect: { to: "https://www.$host$path" }'],
      ['static: ./public', 'static: { root: ./public }'],
      ['respond: 404', 'respond: { status: 404 }'],
    ] as const) {
      assert.deepEqual(long(short), long(whole), short);
    }
  });

  it('has errors at its own place and key', () => {
    for (const [text, error] of [
      ['redirect: /$1', '6:32: redirect: $1 is group 1 of pathRegex, but the match has no pathRegex'],
      ['redirect: 308', '6:32: redirect: 308 is not text: put it in quotes'],
      [
        'static: true',
        '6:30: static: true is not a mapping: "static" has root, index, fallback, precompressed, cacheControl',
      ],
      ['respond: 99', '6:31: respond: 99 is out of range: write 200 to 599'],
      [
        'respond: hello',
        '6:31: respond: "hello" is not a status: write 200 to 599, and a text as { body: TEXT }',
      ],
      ['respond: []', '6:22: respond: a list is not a mapping: "respond" has status, body, contentType'],
    ] as const) {
      assert.deepEqual(actionErrors(text), [error], text);
    }
    assert.match(actionErrors('redirect: www.example.com')[0] ?? '', /^6:32: redirect: .* redirect's target/);
    assert.match(actionErrors('static: ./nowhere')[0] ?? '', /^6:30: static: .* directory not found/);
  });

  it('may come from the environment', () => {
    const text = routes('{ respond: "${STATUS}" }');
    assert.deepEqual(routeOf(load(text, { env: { STATUS: '503' } })).action, long('respond: 503'));
    assert.deepEqual(errorsOf(text, { env: { STATUS: '5' } }), [
      '6:20: respond: "${STATUS}" is out of range: write 200 to 599',
    ]);
  });
});
