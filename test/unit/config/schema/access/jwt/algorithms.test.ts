import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EC, ED, RSA, keySet, secret } from '../../../jwks.ts';
import { errorsOf, l7, l7Of, load } from '../../../load.ts';

const FILES = {
  'public.json': keySet(EC, ED, RSA),
  'secret.json': keySet(secret(48)),
  'mixed.json': keySet(EC, secret(64)),
};

function text(keys: string, algorithms: string): string {
  const given = algorithms === '' ? '' : `, algorithms: ${algorithms}`;
  return l7('address: 127.0.0.1:1', `access: { jwt: { keys: ${keys}, issuer: a, audience: b ${given} } }`);
}

function read(keys: string, algorithms = ''): readonly string[] {
  return l7Of(load(text(keys, algorithms), { files: FILES })).access?.jwt?.algorithms ?? [];
}

function error(keys: string, algorithms = ''): string {
  return (errorsOf(text(keys, algorithms), { files: FILES })[0] ?? '').replace(/^6:\d+: \w+: /, '');
}

describe('the algorithms of tokens', () => {
  it('are by default what the public keys, or the secrets, can verify', () => {
    const ofRsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
    assert.deepEqual(read('public.json'), ['ES256', 'EdDSA', 'Ed25519', ...ofRsa]);
    assert.deepEqual(read('secret.json'), ['HS256', 'HS384']);
    assert.deepEqual(read('"https://a.example/jwks"'), [
      ...ofRsa,
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ]);
  });

  it('are one, or a list', () => {
    assert.deepEqual(read('public.json', 'RS256'), ['RS256']);
    assert.deepEqual(read('public.json', '[ES256, EdDSA, ES256]'), ['ES256', 'EdDSA']);
  });

  it('are never none', () => {
    for (const none of ['none', 'NONE', 'nOnE']) {
      assert.equal(
        error('public.json', `[ES256, ${none}]`),
        `"${none}" would let anyone forge tokens: leave it out`,
      );
    }
  });

  it('are for public keys or for secrets, never for both', () => {
    assert.equal(
      error('mixed.json'),
      'the file has both shared secrets (oct) and public keys: name the algorithms of one kind in algorithms',
    );
    assert.equal(
      error('mixed.json', '[ES256, HS256]'),
      'HS256 uses a shared secret, and the others use public keys: keep one kind, so that no key is mistaken for the other',
    );
    const { access } = l7Of(load(text('mixed.json', 'ES256'), { files: FILES }));
    const keys = access?.jwt?.keys;
    assert.deepEqual(JSON.parse(keys?.kind === 'file' ? keys.jwks : ''), { keys: [EC] });
  });

  it('need a key', () => {
    assert.equal(
      error('secret.json', 'HS512'),
      'no key of the file can verify HS512: they can do HS256, HS384',
    );
    assert.match(error('public.json', 'HS256'), /no key of the file can verify HS256: they can do ES256/);
    assert.match(error('public.json', 'ES257'), /"ES257" is not one of HS256/);
    assert.match(error('public.json', '[]'), /the list is empty/);
  });

  it('with a URL exclude shared secrets', () => {
    for (const algorithms of ['HS256', '[HS384]']) {
      assert.match(
        error('"https://a.example/jwks"', algorithms),
        /uses a shared secret, which must not come from a URL/,
      );
    }
    assert.deepEqual(read('"https://a.example/jwks"', 'ES256'), ['ES256']);
  });
});
