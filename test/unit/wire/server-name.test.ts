import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readServerName } from '../../../src/wire/server-name.ts';

describe('a server name', () => {
  const read = (name: string): string | null => {
    const bytes = Buffer.from(`.${name}.x`, 'latin1');
    return readServerName(bytes, 1, 1 + name.length);
  };

  it('is in lower case, without a trailing dot', () => {
    assert.equal(read('Example.COM'), 'example.com');
    assert.equal(read('example.com.'), 'example.com');
    assert.equal(read('_acme.xn--bcher-kva.example'), '_acme.xn--bcher-kva.example');
    assert.equal(read('192.0.2.1'), '192.0.2.1');
    assert.equal(read('A'), 'a');
  });

  it('is null if it is not a DNS name', () => {
    for (const name of [
      '',
      '.',
      '..',
      '.a',
      'a..b',
      'a..',
      'a b',
      'a/b',
      '*.a',
      '::1',
      'a:443',
      'b\xfccher',
      'a\0',
    ])
      assert.equal(read(name), null, JSON.stringify(name));
  });

  it('has at most 255 bytes', () => {
    const label = 'a'.repeat(50);
    const longest = `${label}.`.repeat(5);
    assert.equal(longest.length, 255);
    assert.equal(read(longest), longest.slice(0, -1));
    assert.equal(read(`${longest}b`), null);
  });
});
