import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, l7Of, load } from '../../../load.ts';

function text(keys: string): string {
  return l7('address: 127.0.0.1:1', `access: { jwt: { keys: "${keys}", issuer: a, audience: b } }`);
}

function error(keys: string): string {
  return (errorsOf(text(keys))[0] ?? '').replace('6:28: keys: ', '');
}

describe('the keys of tokens', () => {
  it('come from an https URL, or from this machine', () => {
    for (const url of [
      'https://a.example/jwks?x=1',
      'http://127.0.0.1:1/jwks',
      'http://[::1]/jwks',
      'http://localhost/jwks',
    ]) {
      assert.deepEqual(l7Of(load(text(url))).access?.jwt?.keys, { kind: 'url', url });
    }
    assert.equal(
      error('http://a.example/jwks'),
      '"http://a.example/jwks" would fetch keys unencrypted, and an attacker on the path could forge tokens: use https',
    );
    assert.match(error('http://127.0.0.1.example/jwks'), /would fetch keys unencrypted/);
  });

  it('come from no other URL, and from no URL with a password', () => {
    assert.match(error('ftp://a.example/jwks'), /is not the URL of a key set/);
    assert.equal(
      error('https://u:secret@a.example/jwks'),
      'the URL contains a user or password, which would appear in logs: remove it',
    );
    assert.match(error('none.json'), /"none.json" cannot be read: file not found/);
  });

  it('are required', () => {
    assert.deepEqual(errorsOf(l7('access: { jwt: {} }')), ['5:15: "jwt" needs "keys"']);
  });
});
