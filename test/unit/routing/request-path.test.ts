import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { normalizePath, normalizePattern } from '../../../src/routing/request-path.ts';

/** Paths of the pieces that normalisation looks at, with some plain ones between. */
const rawPath = fc
  .array(fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%5C', '%41', '%c3', 'a', 'B', '~', '%', '4'))
  .map((pieces) => `/${pieces.join('')}`);

describe('normalizePath', () => {
  it('returns a normalized path unchanged', () => {
    for (const path of [
      '/',
      '/chat',
      '/a/b.html',
      '/.well-known/x',
      '/a..b/...',
      '/a%2Fb%C3%A9',
      "/~a!$&'()*+,;=:@[]{}|^",
    ]) {
      assert.equal(normalizePath(path), path);
    }
  });

  it('decodes escapes of unreserved characters and puts the others in upper case', () => {
    assert.equal(normalizePath('/%63hat/%7Euser%2d1'), '/chat/~user-1');
    assert.equal(normalizePath('/a%2fb%5cc%c3%a9%25'), '/a%2Fb%5Cc%C3%A9%25');
  });

  it('decodes only once', () => {
    assert.equal(normalizePath('/%252e%252e/a'), '/%252e%252e/a');
  });

  it('removes dot segments, escaped ones too, and stops at the root', () => {
    const cases = [
      ['/a/./b', '/a/b'],
      ['/a/../b', '/b'],
      ['/a/b/..', '/a/'],
      ['/a/.', '/a/'],
      ['/.', '/'],
      ['/..', '/'],
      ['/../../etc/passwd', '/etc/passwd'],
      ['/a/%2e%2E/b', '/b'],
      ['/a/.%2e', '/'],
      ['/mid/content=5/../6', '/mid/6'],
      ['/a/b/c/./../../g', '/a/g'],
    ] as const;
    for (const [raw, path] of cases) assert.equal(normalizePath(raw), path, raw);
  });

  it('keeps repeated slashes', () => {
    assert.equal(normalizePath('//a///b/'), '//a///b/');
    assert.equal(normalizePath('/a//../b'), '/a/b');
  });

  it('refuses text that is not the path of a request', () => {
    const refused = [
      '',
      '*',
      'a',
      'http://h/a',
      '/a b',
      '/a\tb',
      '/a\r\nb',
      '/a\x7f',
      '/\x00',
      '/a\\b',
      '/..\\..',
      '/a#b',
      '/a?b',
      '/é',
      '/\ufffd',
      '/%',
      '/%4',
      '/%zz',
      '/%4g',
      '/a%',
      '/%00',
      '/a%00.html',
      '/%e9%',
    ];
    for (const raw of refused) assert.equal(normalizePath(raw), null, JSON.stringify(raw));
  });

  it('is stable, leaves no dot segment and no escape of an unreserved character', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const path = normalizePath(raw);
        if (path === null) return;
        assert.equal(normalizePath(path), path);
        assert.match(path, /^\//);
        assert.doesNotMatch(
          path,
          /\/\.{1,2}(\/|$)|%(2[dDeE]|3\d|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])|%[0-9A-F]?[a-f]/,
        );
      }),
    );
  });

  it('agrees with the WHATWG parser on which segments are left', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const path = normalizePath(raw);
        // Two slashes in front would be an authority to the parser.
        if (path === null) return;
        const parsed = new URL(`http://host${raw}`).pathname;
        assert.equal(normalizePath(parsed), path);
      }),
    );
  });
});

describe('normalizePattern', () => {
  it('normalizes a configured path like a request path', () => {
    assert.equal(normalizePattern('/caf%c3%a9/%7Ex/'), '/caf%C3%A9/~x/');
    assert.equal(normalizePattern('/a/./chat'), '/a/chat');
    assert.equal(normalizePattern('/chat'), '/chat');
  });

  it('leaves text unchanged that no request path can equal', () => {
    for (const text of ['chat', '/a\\b', '/%', '/\ud800']) assert.equal(normalizePattern(text), text);
  });
});
