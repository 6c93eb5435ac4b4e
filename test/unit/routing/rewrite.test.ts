import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { expandRedirect, stripPrefix } from '../../../src/routing/rewrite.ts';

describe('stripPrefix', () => {
  it('takes the prefix off on a segment border and leaves a slash in front', () => {
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

  it('leaves other paths alone', () => {
    assert.equal(stripPrefix('/chatter', '/chat'), '/chatter');
    assert.equal(stripPrefix('/x/chat', '/chat'), '/x/chat');
    assert.equal(stripPrefix('/chat', '/chat/'), '/chat');
  });
});

describe('expandRedirect', () => {
  it('puts in the groups of the path', () => {
    assert.equal(expandRedirect('/new/$1', ['a/b'], ''), '/new/a/b');
    assert.equal(expandRedirect('https://example.com/$2/$1', ['a', 'b'], ''), 'https://example.com/b/a');
    assert.equal(expandRedirect('/$9', ['1', '2', '3', '4', '5', '6', '7', '8', 'nine'], ''), '/nine');
    assert.equal(expandRedirect('/$12', ['a'], ''), '/a2');
  });

  it('puts in nothing for a group that is not there', () => {
    assert.equal(expandRedirect('/new/$1', [], ''), '/new/');
  });

  it('takes a doubled dollar sign for one, and others as they are', () => {
    assert.equal(expandRedirect('/$$1/$0/$x/$', ['a'], ''), '/$1/$0/$x/$');
    assert.equal(expandRedirect('/$1', ['$2$$'], ''), '/$2$$');
  });

  it("keeps the request's query where the target has none", () => {
    assert.equal(expandRedirect('/new', [], 'a=1&b=2'), '/new?a=1&b=2');
    assert.equal(expandRedirect('/new#top', [], 'a=1'), '/new?a=1#top');
    assert.equal(expandRedirect('/new#a?b', [], 'a=1'), '/new?a=1#a?b');
    assert.equal(expandRedirect('/new?x=1', [], 'a=1'), '/new?x=1');
    assert.equal(expandRedirect('/new?', [], 'a=1'), '/new?');
  });

  it('lets no group lead to another host', () => {
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

  it('writes visible ASCII whatever it is given', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, fc.array(text), text, (to, groups, query) => {
        assert.match(expandRedirect(to, groups, query), /^[\x21-\x7e]*$/);
      }),
    );
  });
});
