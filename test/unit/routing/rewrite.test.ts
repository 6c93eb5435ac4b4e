import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { expandRedirect, pathRewriter, stripPrefix } from '../../../src/routing/rewrite.ts';

describe('stripPrefix', () => {
  it('removes the prefix at a segment boundary and keeps a leading slash', () => {
    const cases = [
      ['/chat', '/chat', '/'],
      ['/chat/', '/chat', '/'],
      ['/chat/x/y', '/chat', '/x/y'],
      ['/chat/x', '/chat/', '/x'],
      ['/chat/', '/chat/', '/'],
      ['/chat//x', '/chat', '//x'],
      ['/a/b/c', '/a/b', '/c'],
      ['/x', '/', '/x'],
      ['/', '/', '/'],
    ] as const;
    for (const [path, prefix, left] of cases)
      assert.equal(stripPrefix(path, prefix), left, `${path} - ${prefix}`);
  });

  it('leaves other paths unchanged', () => {
    assert.equal(stripPrefix('/chatter', '/chat'), '/chatter');
    assert.equal(stripPrefix('/x/chat', '/chat'), '/x/chat');
    assert.equal(stripPrefix('/chat', '/chat/'), '/chat');
  });
});

describe('expandRedirect', () => {
  it('inserts the groups of the path', () => {
    assert.equal(expandRedirect('/new/$1', ['a/b'], ''), '/new/a/b');
    assert.equal(expandRedirect('https://example.com/$2/$1', ['a', 'b'], ''), 'https://example.com/b/a');
    assert.equal(expandRedirect('/$9', ['1', '2', '3', '4', '5', '6', '7', '8', 'nine'], ''), '/nine');
    assert.equal(expandRedirect('/$12', ['a'], ''), '/a2');
  });

  it('inserts nothing for a missing group', () => {
    assert.equal(expandRedirect('/new/$1', [], ''), '/new/');
  });

  it('reads a doubled dollar sign as one, and others literally', () => {
    assert.equal(expandRedirect('/$$1/$0/$x/$', ['a'], ''), '/$1/$0/$x/$');
    assert.equal(expandRedirect('/$1', ['$2$$'], ''), '/$2$$');
  });

  it("keeps the request's query if the target has none", () => {
    assert.equal(expandRedirect('/new', [], 'a=1&b=2'), '/new?a=1&b=2');
    assert.equal(expandRedirect('/new#top', [], 'a=1'), '/new?a=1#top');
    assert.equal(expandRedirect('/new#a?b', [], 'a=1'), '/new?a=1#a?b');
    assert.equal(expandRedirect('/new?x=1', [], 'a=1'), '/new?x=1');
    assert.equal(expandRedirect('/new?', [], 'a=1'), '/new?');
  });

  it('never lets a group name another host', () => {
    assert.equal(expandRedirect('/$1', ['/evil.example'], ''), '/evil.example');
    assert.equal(expandRedirect('$1', ['//evil.example'], ''), '/evil.example');
    assert.equal(expandRedirect('/$1', ['\\evil.example'], ''), '/evil.example');
    assert.equal(expandRedirect('//cdn.example/$1', ['a'], ''), '//cdn.example/a');
  });

  it('escapes what a header cannot carry', () => {
    assert.equal(
      expandRedirect('/a b/é', [], 'q=\r\nSet-Cookie: a\0#x'),
      '/a%20b/%C3%A9?q=%0D%0ASet-Cookie:%20a%00%23x',
    );
    assert.equal(expandRedirect('/\ud800', [], ''), '/%EF%BF%BD');
  });

  it('returns visible ASCII for any input', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, fc.array(text), text, (to, groups, query) => {
        assert.match(expandRedirect(to, groups, query) ?? '', /^[\x21-\x7e]*$/);
      }),
    );
  });
});

describe('a redirect whose groups contain a dot segment', () => {
  it('has no location', () => {
    for (const group of ['../secret', 'a/..', '.', '..%2Fsecret', '..;/secret', '%252e%252e/x']) {
      assert.equal(expandRedirect('/new/$1', [group], ''), null, group);
    }
  });

  it('has a location if only the query has a dot segment', () => {
    assert.equal(expandRedirect('/new?to=/$1', ['../x'], ''), '/new?to=/../x');
    assert.equal(expandRedirect('/new', [], 'to=/../x'), '/new?to=/../x');
  });
});

describe('pathRewriter', () => {
  const none = { host: null, stripPrefix: null, path: null };
  const toStatic = pathRewriter({ ...none, path: '/static/$1' });
  const withoutApi = pathRewriter({ ...none, stripPrefix: '/api' });

  it('leaves paths unchanged without a rewrite', () => {
    assert.equal(pathRewriter(none)('/a/..%2Fb//c', []), '/a/..%2Fb//c');
  });

  it('strips a prefix or inserts the groups', () => {
    assert.equal(withoutApi('/api/a%2Fb', []), '/a%2Fb');
    assert.equal(withoutApi('/apis/a', []), '/apis/a');
    assert.equal(toStatic('/img/a.png', ['a.png']), '/static/a.png');
    assert.equal(toStatic('/img', ['..a/.b/c..']), '/static/..a/.b/c..');
  });

  it('returns null for a result with a dot segment', () => {
    for (const group of ['../secret', '..', './a', 'a/../b']) {
      assert.equal(toStatic(`/img${group}`, [group]), null, group);
    }
  });

  it('returns null for a result that can be read with a dot segment', () => {
    const groups = [
      '..%2Fsecret',
      '..%5Csecret',
      '..;/secret',
      '..;v=1',
      '..%3B/x',
      'a%2F..%2Fb',
      '%252E%252E/x',
      '..%252Fx',
    ];
    for (const group of groups) assert.equal(toStatic(`/img${group}`, [group]), null, group);
    assert.equal(withoutApi('/api/..%2Fx', []), null);
  });

  it('starts with one slash, because two start a host', () => {
    assert.equal(withoutApi('/api//evil.example/x', []), '/evil.example/x');
    assert.equal(pathRewriter({ ...none, path: '/$1' })('/x', ['/evil.example']), '/evil.example');
    assert.equal(pathRewriter({ ...none, path: '//$1' })('/x', ['a']), '//a');
  });

  it('leaves the asterisk target unchanged', () => {
    assert.equal(toStatic('*', []), '*');
    assert.equal(withoutApi('*', []), '*');
  });
});
