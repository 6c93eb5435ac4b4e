import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRedirect, type RedirectedRequest } from '../../../src/routing/redirect.ts';

/** Returns the location of a request with a host, a path and a query unless others are given. */
function locationOf(to: string, given: Partial<RedirectedRequest> = {}): string {
  const request = { host: 'example.com', path: '/a/b', query: '', groups: [], ...given };
  const location = createRedirect(to)(request);
  return typeof location === 'string' ? location : `(${location.fault})`;
}

/** Returns the location for the groups of a path. */
function expanded(to: string, groups: readonly string[], query = ''): string {
  return locationOf(to, { groups, query });
}

describe('a redirect with groups of the path', () => {
  it('inserts them', () => {
    assert.equal(expanded('/new/$1', ['a/b']), '/new/a/b');
    assert.equal(expanded('https://example.com/$2/$1', ['a', 'b']), 'https://example.com/b/a');
    assert.equal(expanded('/$9', ['1', '2', '3', '4', '5', '6', '7', '8', 'nine']), '/nine');
    assert.equal(expanded('/$12', ['a']), '/a2');
  });

  it('inserts nothing for a missing group', () => {
    assert.equal(expanded('/new/$1', []), '/new/');
  });

  it('reads a doubled dollar sign as one', () => {
    assert.equal(expanded('/$$1/$$host', ['a']), '/$1/$host');
    assert.equal(expanded('/$1', ['$2$$']), '/$2$$');
  });

  it('never lets a group of a path name another host', () => {
    assert.equal(expanded('/$1', ['/evil.example']), '/evil.example');
    assert.equal(expanded('$1', ['//evil.example']), '/evil.example');
    assert.equal(expanded('/$1', ['\\evil.example']), '/evil.example');
    assert.equal(expanded('//cdn.example/$1', ['a']), '//cdn.example/a');
  });

  it('never lets a group behind a host extend the host', () => {
    assert.equal(expanded('https://example.com$1', ['/a']), 'https://example.com/a');
    assert.equal(expanded('https://example.com$1', ['//evil.test']), 'https://example.com//evil.test');
    assert.equal(expanded('https://example.com$1', ['']), 'https://example.com');
    for (const group of ['.evil.test', '.evil.test/', '@evil.test', ':80@evil.test', 'x'])
      assert.equal(expanded('https://example.com$1', [group]), '(another host)', group);
    assert.equal(expanded('https://example.com$1$2', ['', '/b']), 'https://example.com/b');
    assert.equal(expanded('https://example.com$1$2', ['/a', 'b']), 'https://example.com/ab');
    assert.equal(expanded('https://example.com$1$2', ['.evil.test', '/b']), '(another host)');
    assert.equal(expanded('https://$host$1', ['.evil.test']), '(another host)');
    assert.equal(expanded('https://example.com$1?x', ['.evil.test']), '(another host)');
  });

  it('never lets a group between a host and a path extend the host', () => {
    for (const to of ['https://example.com$1/', 'https://$host$1/', 'https://example.com$1:8443/']) {
      assert.doesNotMatch(expanded(to, ['']), /another/, to);
      for (const group of ['.evil.test', 'evil', '-x', '@evil.test'])
        assert.equal(expanded(to, [group]), '(another host)', `${to} ${group}`);
    }
    assert.equal(expanded('https://example.com$1/x', ['/a']), 'https://example.com/a/x');
    const rooted = { host: 'example.com.', groups: ['evil'] };
    assert.equal(locationOf('https://$host$1', rooted), '(another host)');
  });

  it('never leaves the host empty', () => {
    for (const [to, groups] of [
      ['https://$1/$2', ['', 'evil.test/login']],
      ['//$1/$2', ['', 'evil.test']],
      ['https://$1', ['/evil.test']],
      ['https://$1$path', ['']],
      ['https://$1$path', ['/evil.test']],
      ['https://$1$2', ['', '/evil.test']],
      ['https://$1:8443/', ['']],
      ['https://$1?x=$2', ['', 'a']],
      ['https://$1.example.com/', ['']],
      ['https:///$1', ['evil.test']],
    ] as const)
      assert.equal(expanded(to, groups), '(another host)', to);
  });

  it('lets a group be labels of the host that the target ends', () => {
    assert.equal(expanded('https://$1.example.com/x', ['a']), 'https://a.example.com/x');
    assert.equal(expanded('https://$1.example.com/x', ['a.b-c']), 'https://a.b-c.example.com/x');
    assert.equal(expanded('https://$1.$host/', ['a']), 'https://a.example.com/');
    assert.equal(expanded('https://shop-$1.example.com/', ['eu']), 'https://shop-eu.example.com/');
    assert.equal(expanded('https://$1-shop.example.com/', ['eu']), 'https://eu-shop.example.com/');
    assert.equal(expanded('https://$1-$2.example.com/', ['a', 'b']), 'https://a-b.example.com/');
    assert.equal(expanded('https://$1.$2/', ['evil.test', '']), '(another host)');
    assert.equal(expanded('https://$1example.com/', ['www.']), 'https://www.example.com/');
    assert.equal(expanded('https://$1example.com/', ['evil-']), '(another host)');
    assert.equal(expanded('https://$1$host/', ['evil']), '(another host)');
    for (const group of ['evil.test/', 'evil.test/a', 'a@b', 'a:b', '%2F', '.a', '-a', 'a.', 'a..b', '\\'])
      assert.equal(expanded('https://$1.example.com/x', [group]), '(another host)', group);
  });

  it('lets a group at the end of the host be one label, and a group of the port be digits', () => {
    assert.equal(expanded('https://example.$1/x', ['org']), 'https://example.org/x');
    assert.equal(expanded('https://$1/x', ['intranet']), 'https://intranet/x');
    for (const group of ['evil.test', '16909060', '0x1020304', '0x', '-a', '/a'])
      assert.equal(expanded('https://$1/x', [group]), '(another host)', group);
    assert.equal(expanded('https://$host:$1/x', ['8443']), 'https://example.com:8443/x');
    assert.equal(expanded('https://$host:$1/x', ['80@evil.test']), '(another host)');
  });

  it('inserts groups behind a question mark as one value', () => {
    assert.equal(expanded('/login?next=$1', ['a&admin=1']), '/login?next=a%26admin%3D1');
    assert.equal(expanded('/login?next=/$1&x=y', ['a+b#c%20d']), '/login?next=/a%2Bb%23c%20d&x=y');
  });
});

describe('a redirect with parts of the request', () => {
  it('inserts host, path and query', () => {
    const to = 'https://$host$path$query';
    assert.equal(locationOf(to), 'https://example.com/a/b');
    assert.equal(locationOf(to, { query: 'x=1&y=%20' }), 'https://example.com/a/b?x=1&y=%20');
    assert.equal(locationOf(to, { host: '[::1]', path: '/' }), 'https://[::1]/');
    assert.equal(locationOf('https://www.$host:8443$path'), 'https://www.example.com:8443/a/b');
    assert.equal(locationOf('/old$path', { query: 'x' }), '/old/a/b?x');
    assert.equal(locationOf('$path/', { query: 'x' }), '/a/b/?x');
    assert.equal(locationOf('/n$query#top', { query: 'x' }), '/n?x#top');
  });

  it('keeps the query without being told, and drops it behind a question mark', () => {
    assert.equal(locationOf('https://$host$path', { query: 'x=1' }), 'https://example.com/a/b?x=1');
    assert.equal(locationOf('https://$host$path?', { query: 'x=1' }), 'https://example.com/a/b?');
  });

  it('never leaves the path', () => {
    const path = '//evil.test/x';
    assert.equal(locationOf('https://$host$path', { path }), 'https://example.com//evil.test/x');
    assert.equal(locationOf('https://a.test$path', { path }), 'https://a.test//evil.test/x');
    assert.equal(locationOf('$path', { path }), '/evil.test/x');
    assert.equal(locationOf('/$path', { path }), '/evil.test/x');
    assert.equal(locationOf('//$host$path', { path }), '//example.com//evil.test/x');
    assert.equal(locationOf('https://$host$path', { path: '/@evil.test' }), 'https://example.com/@evil.test');
  });

  it('escapes them behind a question mark, so that each is one value', () => {
    const given = { path: '/a%20b&c', query: 'x=1&y=2' };
    assert.equal(
      locationOf('https://id.test/?back=https://$host$path$query&lang=en', given),
      'https://id.test/?back=https://example.com%2Fa%2520b%26c%3Fx%3D1%26y%3D2&lang=en',
    );
    assert.equal(locationOf('/x#$path', given), '/x?x=1&y=2#%2Fa%2520b%26c');
  });

  it('reads the asterisk of OPTIONS as the root', () => {
    assert.equal(locationOf('https://$host$path', { path: '*' }), 'https://example.com/');
  });

  it('has no location for a request without a host, if it needs one', () => {
    for (const to of ['https://$host$path', '/x?h=$host', '/$host'])
      assert.equal(locationOf(to, { host: '' }), '(no host)', to);
    assert.equal(locationOf('https://a.test$path', { host: '' }), 'https://a.test/a/b');
  });
});

describe('the query of a redirect', () => {
  it('is kept if the target has none', () => {
    assert.equal(expanded('/new', [], 'a=1&b=2'), '/new?a=1&b=2');
    assert.equal(expanded('/new#top', [], 'a=1'), '/new?a=1#top');
    assert.equal(expanded('/new#a?b', [], 'a=1'), '/new?a=1#a?b');
    assert.equal(expanded('/new?x=1', [], 'a=1'), '/new?x=1');
    assert.equal(expanded('/new?', [], 'a=1'), '/new?');
  });
});

describe('a location', () => {
  it('escapes what a header cannot carry', () => {
    assert.equal(
      expanded('/a b/é', [], 'q=\r\nSet-Cookie: a\0#x'),
      '/a%20b/%C3%A9?q=%0D%0ASet-Cookie:%20a%00%23x',
    );
    assert.equal(expanded('/\ud800', []), '/%EF%BF%BD');
  });

  it('is visible ASCII for any input', () => {
    const text = fc.string({ unit: 'binary' });
    const part = fc.constantFrom('$host', '$path', '$query', '$1', '$2', '?', '#', '/', 'https://', '//');
    const target = fc.array(fc.oneof(part, text), { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(target, fc.array(text), text, text, text, (to, groups, host, path, query) => {
        assert.match(locationOf(to, { groups, host, path, query }), /^[\x21-\x7e]*$|^\((?:\w+ ?)+\)$/);
      }),
    );
  });

  it('keeps the host of the target for any path', () => {
    const path = fc
      .array(fc.constantFrom('/', '//', 'evil.test', '@', ':', ';', '%2F', '.a', 'x'), { maxLength: 8 })
      .map((parts) => `/${parts.join('')}`);
    const target = fc.constantFrom(
      'https://$host$path',
      'https://example.com$1',
      'https://example.com/$1$path',
    );
    fc.assert(
      fc.property(target, path, fc.nat(3), (to, asked, cut) => {
        const location = locationOf(to, { path: asked, groups: [asked.slice(cut)] });
        if (!location.startsWith('(')) assert.equal(new URL(location).host, 'example.com', location);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the host of a location', () => {
  it('is the written one or below it, for any groups', () => {
    const group = fc
      .array(fc.constantFrom('/', '.', 'evil', 'test', '@', ':', '-', '1', '0x', '\\', 'www.', '?'), {
        maxLength: 5,
      })
      .map((parts) => parts.join(''));
    const target = fc.constantFrom(
      ...['https://example.com$1', 'https://example.com$1$2', 'https://example.com$1/$2', '//example.com$1'],
      ...[
        'https://$1.example.com/$2',
        'https://$1example.com$2',
        'https://$1$2.example.com/',
        'https://$host$1',
      ],
      ...[
        'https://$1$host$2',
        'https://$1.$host$path',
        'https://a-$1.example.com:8443/',
        'https://$1$2example.com',
      ],
      ...[
        'https://$host:$1/$2',
        'https://$1-a.www.example.com$2',
        'https://example.com$1?$2',
        'https://$1.$2.example.com',
        'https://$1-$2.example.com/',
        'https://$1-$2.www.example.com$1',
      ],
    );
    let hosts = 0;
    fc.assert(
      fc.property(target, group, group, (to, first, second) => {
        const location = expanded(to, [first, second]);
        if (location.startsWith('(') || !URL.canParse(location, 'https://a.test')) return;
        hosts += 1;
        const { hostname } = new URL(location, 'https://a.test');
        assert.match(hostname, /(?:^|\.)example\.com$/, location);
      }),
      { numRuns: 3000 },
    );
    assert.ok(hosts > 100);
  });
});

describe('a redirect whose inserted values contain a dot segment', () => {
  it('has no location', () => {
    for (const group of ['../secret', 'a/..', '.', '..%2Fsecret', '..;/secret', '%252e%252e/x']) {
      assert.equal(expanded('/new/$1', [group]), '(dot segment)', group);
    }
    assert.equal(locationOf('/app$path', { path: '/..;/admin' }), '(dot segment)');
  });

  it('has a location if only the query has a dot segment', () => {
    assert.equal(expanded('/new?to=/$1', ['../x']), '/new?to=/../x');
    assert.equal(expanded('/new', [], 'to=/../x'), '/new?to=/../x');
    assert.equal(locationOf('/new$query', { query: 'to=/../x' }), '/new?to=/../x');
  });
});
