import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { exportJWK, type JWK } from 'jose';
import { KeyRing } from '../../../../../src/access/credentials/jwt/key-ring.ts';
import { issuerKey, sign } from './issuer.ts';

describe('a key ring', () => {
  let rsa: JWK;
  let ec: JWK;
  before(async () => {
    rsa = (await issuerKey('RS256', 'rsa')).jwk;
    ec = (await issuerKey('ES256', 'ec')).jwk;
  });
  const ringOf = (...keys: readonly unknown[]): KeyRing => new KeyRing(JSON.stringify({ keys }));
  const names = (ring: KeyRing, algorithm: string, name: string | null): readonly (string | null)[] =>
    ring.candidates(algorithm, name).map((key) => key.name);

  it('finds keys by their kind and name', () => {
    const ring = ringOf(rsa, ec);
    assert.deepEqual(names(ring, 'RS256', 'rsa'), ['rsa']);
    assert.deepEqual(names(ring, 'PS512', null), ['rsa']);
    assert.deepEqual(names(ring, 'ES256', null), ['ec']);
    for (const algorithm of ['HS256', 'ES384', 'EdDSA', 'none', 'constructor']) {
      assert.deepEqual(names(ring, algorithm, null), [], algorithm);
    }
    assert.deepEqual(names(ring, 'RS256', 'ec'), []);
  });

  it('tries nameless keys for any name, after the named ones', () => {
    const ring = ringOf({ ...rsa, kid: undefined }, rsa);
    assert.deepEqual(names(ring, 'RS256', 'rsa'), ['rsa', null]);
    assert.deepEqual(names(ring, 'RS256', 'other'), [null]);
  });

  it('respects the algorithm, the use and the operations of a key', () => {
    assert.deepEqual(names(ringOf({ ...rsa, alg: 'RS256' }), 'RS512', null), []);
    assert.deepEqual(names(ringOf({ ...rsa, alg: 'RS256' }), 'RS256', null), ['rsa']);
    assert.deepEqual(names(ringOf({ ...rsa, use: 'enc' }), 'RS256', null), []);
    assert.deepEqual(names(ringOf({ ...rsa, use: 'sig' }), 'RS256', null), ['rsa']);
    assert.deepEqual(names(ringOf({ ...rsa, key_ops: ['encrypt'] }), 'RS256', null), []);
    assert.deepEqual(names(ringOf({ ...rsa, key_ops: ['verify'] }), 'RS256', null), ['rsa']);
  });

  it('ignores members that are not keys', () => {
    const ring = ringOf(null, 1, 'key', [], {}, { kty: 1 }, { ...rsa, kid: 5 }, { ...rsa, alg: {} }, rsa);
    assert.deepEqual(names(ring, 'RS256', null), ['rsa']);
  });

  it('is empty if the text is not a set', () => {
    for (const text of ['', 'null', '[]', '{}', '{"keys":{}}', '{"keys":null}', '<html>']) {
      assert.deepEqual(new KeyRing(text).candidates('RS256', null), [], text);
    }
  });

  it('recognizes the same key in another set, and no other key', () => {
    const [id] = ringOf(rsa)
      .candidates('RS256', null)
      .map((key) => key.id);
    assert.ok(ringOf(ec, rsa).has(id!));
    assert.ok(ringOf({ ...rsa, x5t: 'ignored' }).has(id!));
    assert.ok(!ringOf(ec).has(id!));
    assert.ok(!ringOf({ ...rsa, kid: 'other' }).has(id!));
    assert.ok(!ringOf({ ...rsa, alg: 'PS256' }).has(id!));
  });

  it('tries at most 8 keys', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ ...rsa, kid: String(index) }));
    assert.equal(ringOf(...many).candidates('RS256', null).length, 8);
  });
});

describe('a key of a ring', () => {
  it('recognizes its signatures, with or without its private half in the set', async () => {
    const key = await issuerKey('ES256', 'ec');
    const secret = await exportJWK(key.secret);
    const [token, strange] = [await sign(key), await sign(await issuerKey('ES256', 'ec'))];
    for (const jwk of [key.jwk, { ...secret, kid: 'ec' }]) {
      const [candidate] = new KeyRing(JSON.stringify({ keys: [jwk] })).candidates('ES256', 'ec');
      assert.equal(await candidate!.hasSigned(token, 'ES256'), true);
      assert.equal(await candidate!.hasSigned(token, 'ES256'), true);
      assert.equal(await candidate!.hasSigned(strange, 'ES256'), false);
      assert.equal(await candidate!.hasSigned('no token', 'ES256'), false);
    }
  });

  it('that is unusable never matches', async () => {
    const key = await issuerKey('ES256', 'ec');
    const [candidate] = new KeyRing(JSON.stringify({ keys: [{ ...key.jwk, x: 'AA' }] })).candidates(
      'ES256',
      'ec',
    );
    assert.equal(await candidate!.hasSigned(await sign(key), 'ES256'), false);
  });
});
