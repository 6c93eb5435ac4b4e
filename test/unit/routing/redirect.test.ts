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

  it('lets a group be a part of the host that the target ends', () => {
    assert.equal(expanded('https://$1.example.com/x', ['a']), 'https://a.example.com/x');
    for (const group of ['evil.test/', 'evil.test/a', 'a@b', 'a:b', '%2F'])
      assert.equal(expanded('https://$1.example.com/x', [group]), '(another host)', group);
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
