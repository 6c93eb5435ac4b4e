import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathRewriter, stripPrefix } from '../../../src/routing/rewrite.ts';

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
