import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { JwtSettings } from '../../../../../../src/config/types/access.ts';
import { EC, EC_KEYS, ED, RSA, keySet, secret } from '../../../jwks.ts';
import { errorsOf, inDirectory, l7, l7Of, load, warningsOf } from '../../../load.ts';

function text(more = ''): string {
  return l7('address: 127.0.0.1:1', `access: { jwt: { keys: keys.json, issuer: a, audience: b ${more} } }`);
}

function read(keys: string, more = ''): JwtSettings {
  const { access } = l7Of(load(text(more), { files: { 'keys.json': keys } }));
  return access!.jwt!;
}

function error(keys: string): string {
  const [found = ''] = errorsOf(text(), { files: { 'keys.json': keys } });
  return found.replace(/^6:\d+: keys: /, '');
}

describe('a file of keys', () => {
  it('has public keys of every type, each for its algorithms', () => {
    const settings = read(keySet(EC));
    assert.equal(settings.keys.kind === 'file' && settings.keys.file, inDirectory('keys.json'));
    assert.deepEqual(settings.algorithms, ['ES256']);
    assert.deepEqual(read(keySet(ED)).algorithms, ['EdDSA', 'Ed25519']);
    assert.deepEqual(read(keySet(RSA)).algorithms, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']);
    assert.deepEqual(read(keySet({ ...RSA, alg: 'PS256' })).algorithms, ['PS256']);
    for (const [namedCurve, algorithm] of [
      ['P-384', 'ES384'],
      ['P-521', 'ES512'],
    ] as const) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve });
      assert.deepEqual(read(keySet(publicKey.export({ format: 'jwk' }))).algorithms, [algorithm]);
    }
  });

  it('may have only shared secrets, of the length that their algorithm needs', () => {
    assert.deepEqual(read(keySet(secret(32))).algorithms, ['HS256']);
    assert.deepEqual(read(keySet(secret(64))).algorithms, ['HS256', 'HS384', 'HS512']);
    assert.deepEqual(read(keySet(secret(64, { alg: 'HS384' }))).algorithms, ['HS384']);
    assert.equal(
      error(keySet(secret(31))),
      'key 1 of "keys.json" has a secret of 31 bytes, and HS256 needs 32 or more: generate one with openssl rand -base64 64',
    );
    assert.match(error(keySet(secret(32, { alg: 'HS512' }))), /of 32 bytes, and HS512 needs 64/);
    assert.match(error(keySet({ kty: 'oct' })), /has no secret: write "k" in base64url/);
  });

  it('drops keys for other purposes and of unknown types', () => {
    const others = [
      { ...RSA, use: 'enc' },
      { ...RSA, alg: 'RSA-OAEP' },
      { ...RSA, key_ops: ['encrypt'] },
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'x' },
      generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
    ];
    const { keys, algorithms } = read(keySet(...others, EC));
    assert.deepEqual(algorithms, ['ES256']);
    assert.deepEqual(JSON.parse(keys.kind === 'file' ? keys.jwks : ''), { keys: [EC] });
    assert.match(error(keySet(...others)), /"keys.json" has no key that can verify tokens/);
    assert.match(error(keySet()), /has no key that can verify tokens/);
  });

  it('drops private parts and warns of them', () => {
    const whole = { ...EC_KEYS.privateKey.export({ format: 'jwk' }), kid: 'ec' };
    const { keys } = read(keySet(whole));
    assert.deepEqual(JSON.parse(keys.kind === 'file' ? keys.jwks : ''), { keys: [EC] });
    assert.deepEqual(warningsOf(text(), { files: { 'keys.json': keySet(whole) } }), [
      '6:28: key 1 of "keys.json" can sign tokens, which sluice never does: keep private parts ("d") with the issuer',
    ]);
  });

  it('warns of keys that tokens cannot tell apart', () => {
    assert.deepEqual(warningsOf(text(), { files: { 'keys.json': keySet(EC, { ...EC }) } }), [
      '6:28: keys 1 and 2 of "keys.json" have the same type and "kid", which identify the key of a token: give each its own',
    ]);
    assert.deepEqual(warningsOf(text(), { files: { 'keys.json': keySet(EC, { ...ED, kid: 'ec' }) } }), []);
  });

  it('is refused if it is not a key set', () => {
    assert.equal(error('secret'), '"keys.json" is not JSON: write a key set { "keys": [...] } (RFC 7517)');
    assert.equal(error('[]'), '"keys.json" is not a key set, which has a list "keys" (RFC 7517)');
    assert.match(error(JSON.stringify(EC)), /: put the key into a list "keys"$/);
    assert.match(error(keySet(1)), /key 1 of "keys.json" has no key type/);
    assert.match(error(keySet({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' })), /is not a key of type "EC"/);
    assert.match(
      error(keySet({ kty: 'RSA', n: 'AQAB', e: 'AQAB' })),
      /key 1 of "keys.json" (?:has \d+ bits|is not a key)/,
    );
    assert.match(
      error(keySet(...Array.from({ length: 101 }, () => EC))),
      /has 101 keys: at most 100 are taken/,
    );
    assert.match(error(''), /is not JSON/);
  });

  it('fails only with one message of one line, without its secrets', () => {
    const member = fc.oneof(
      fc.constantFrom<unknown>(EC, ED, RSA, secret(32)),
      fc.record({
        kty: fc.constantFrom('EC', 'RSA', 'OKP', 'oct', 'x'),
        crv: fc.string(),
        k: fc.string(),
        n: fc.string(),
        e: fc.string(),
        x: fc.string(),
      }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(member, { maxLength: 4 }).map((keys) => keySet(...keys)),
        ),
        (keys) => {
          const found = errorsOf(text(), { files: { 'keys.json': keys } });
          assert.ok(
            found.every((one) => !one.includes('\n') && !one.includes(String(secret(32).k))),
            found.join(),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
