import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../../../src/access/contract/credential-method.ts';
import { claimsOf, issuerKey, keySetOf, NOW_SECONDS, sign, type IssuerKey } from './issuer.ts';
import { begin, bearer, decide, MethodRig, outcome, requestOf } from './method-rig.ts';

const ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const URL = 'https://id.example.com/jwks';

/** Asserts that a decision lets the client in, and returns it. */
function granted(decision: Decision): Extract<Decision, { granted: true }> {
  assert.ok(decision.granted, decision.granted ? '' : decision.detail);
  return decision;
}

describe('a token', () => {
  for (const algorithm of ALGORITHMS) {
    it(`signed with ${algorithm} is admitted, and one of another key is not`, async () => {
      const [own, other] = await Promise.all([issuerKey(algorithm, 'a'), issuerKey(algorithm, 'b')]);
      const method = new MethodRig().method(keySetOf(own), { algorithms: [algorithm] });
      assert.equal(outcome(await decide(method, bearer(await sign(own)))), 'alice');
      const forged = await sign({ ...other, jwk: own.jwk });
      assert.equal(outcome(await decide(method, bearer(forged))), 'token_signature');
    });
  }

  it('identifies the client until its expiry', async () => {
    const key = await issuerKey('ES256', 'a');
    const method = new MethodRig().method(keySetOf(key));
    const { principal } = granted(await decide(method, bearer(await sign(key))));
    assert.deepEqual(
      { ...principal, claims: { ...principal?.claims } },
      {
        kind: 'jwt',
        name: 'alice',
        issuedAt: (NOW_SECONDS - 10) * 1000,
        expiresAt: (NOW_SECONDS + 600) * 1000,
        claims: claimsOf(),
      },
    );
  });

  it('without an expiry never expires, and the issue date is optional', async () => {
    const key = await issuerKey('ES256', 'a');
    const method = new MethodRig().method(keySetOf(key));
    const token = await sign(key, claimsOf({ exp: undefined, iat: undefined }));
    const { principal } = granted(await decide(method, bearer(token)));
    assert.deepEqual([principal?.expiresAt, principal?.issuedAt], [Infinity, null]);
  });

  it('within the leeway of its dates is admitted', async () => {
    const key = await issuerKey('ES256', 'a');
    const method = new MethodRig().method(keySetOf(key));
    for (const change of [{ exp: NOW_SECONDS - 29 }, { nbf: NOW_SECONDS + 29 }, { iat: NOW_SECONDS + 29 }]) {
      const token = await sign(key, claimsOf(change));
      assert.equal(outcome(await decide(method, bearer(token))), 'alice', JSON.stringify(change));
    }
  });

  it('is requested if it is missing', async () => {
    const method = new MethodRig().method(keySetOf(await issuerKey('ES256', 'a')));
    for (const headers of [[], ['authorization', 'Basic YTpi'], ['authorization', 'Bearer ']]) {
      const decision = await decide(method, requestOf(headers));
      assert.ok(!decision.granted);
      assert.deepEqual([decision.status, decision.reason], [401, 'no_credential']);
      assert.deepEqual(decision.headers, [['www-authenticate', 'Bearer realm="sluice"']]);
    }
  });

  it('gets a 403 that quotes nothing from the client if its role is wrong', async () => {
    const key = await issuerKey('ES256', 'a');
    const settings = { requiredClaims: new Map([['role', ['user', 'admin']]]) };
    const method = new MethodRig().method(keySetOf(key), settings);
    const decision = await decide(method, bearer(await sign(key, claimsOf({ role: 'guest' }))));
    assert.ok(!decision.granted);
    assert.deepEqual([decision.status, decision.reason], [403, 'token_claim']);
    assert.match(decision.headers[0]![1], /^Bearer realm="sluice", error="insufficient_scope"/);
    assert.doesNotMatch(JSON.stringify(decision), /guest|alice/);
    const admin = await sign(key, claimsOf({ role: ['guest', 'admin'] }));
    assert.equal(outcome(await decide(method, bearer(admin))), 'alice');
  });

  it('forwards its claims to endpoints as headers', async () => {
    const key = await issuerKey('ES256', 'a');
    const forward = new Map([
      ['x-user', 'sub'],
      ['x-roles', 'roles'],
      ['x-level', 'level'],
      ['x-none', 'none'],
      ['x-object', 'object'],
    ]);
    const method = new MethodRig().method(keySetOf(key), { forward });
    const claims = claimsOf({ sub: 'zoë', roles: ['a', 'b'], level: 3, object: { a: 1 } });
    const { forwarded } = granted(await decide(method, bearer(await sign(key, claims))));
    assert.deepEqual(forwarded, ['x-user', 'zo\xc3\xab', 'x-roles', 'a,b', 'x-level', '3']);
  });
});

describe('a token that was verified', () => {
  it('is decided at once, without yielding to Node', async () => {
    const rig = new MethodRig();
    const key = await issuerKey('ES256', 'a');
    const method = rig.method(keySetOf(key));
    const token = await sign(key);
    const first = begin(method, bearer(token));
    assert.ok(first.pending !== null);
    granted(await first.decision);
    assert.equal(rig.turns, 1);
    const second = begin(method, bearer(token));
    assert.equal(second.pending, null);
    granted(await second.decision);
    assert.equal(rig.turns, 1);
  });

  it('shares its verification with concurrent requests', async () => {
    const key = await issuerKey('ES256', 'a');
    const method = new MethodRig().method(keySetOf(key));
    const token = await sign(key);
    const checks = Array.from({ length: 50 }, () => begin(method, bearer(token)));
    const decisions = await Promise.all(checks.map(({ decision }) => decision));
    const principals = new Set(decisions.map((decision) => granted(decision).principal?.name));
    assert.deepEqual([...principals], ['alice']);
  });

  it('still expires', async () => {
    const rig = new MethodRig();
    const key = await issuerKey('ES256', 'a');
    const method = rig.method(keySetOf(key));
    const token = await sign(key);
    granted(await decide(method, bearer(token)));
    rig.nowMs += 630_000 - 1;
    granted(await decide(method, bearer(token)));
    rig.nowMs += 1;
    assert.equal(outcome(await decide(method, bearer(token))), 'token_expired');
  });

  it('is refused once it is revoked', async () => {
    const rig = new MethodRig();
    const key = await issuerKey('ES256', 'a');
    const method = rig.method(keySetOf(key));
    const token = await sign(key);
    granted(await decide(method, bearer(token)));
    rig.revoked.add('alice');
    assert.equal(outcome(await decide(method, bearer(token))), 'revoked');
    rig.revoked.clear();
    granted(await decide(method, bearer(token)));
  });

  it("is still checked against each route's settings", async () => {
    const rig = new MethodRig();
    const [key, other] = await Promise.all([issuerKey('ES256', 'a'), issuerKey('ES256', 'a')]);
    const keys = keySetOf(key);
    const token = await sign(key);
    granted(await decide(rig.method(keys), bearer(token)));
    const refusedBy = async (method: ReturnType<MethodRig['method']>): Promise<string> =>
      outcome(await decide(method, bearer(token)));
    assert.equal(await refusedBy(rig.method(keys, { audiences: ['mail'] })), 'token_audience');
    assert.equal(await refusedBy(rig.method(keys, { issuers: ['https://other'] })), 'token_issuer');
    assert.equal(await refusedBy(rig.method(keys, { algorithms: ['RS256'] })), 'token_algorithm');
    assert.equal(await refusedBy(rig.method(keySetOf(other))), 'token_signature');
  });

  it('is trusted only while the set has its key', async () => {
    const rig = new MethodRig();
    const [old, fresh] = await Promise.all([issuerKey('ES256', 'old'), issuerKey('ES256', 'fresh')]);
    const method = rig.remote(URL);
    rig.sets.set(URL, { jwks: keySetOf(old) });
    const token = await sign(old);
    granted(await decide(method, bearer(token)));
    rig.sets.set(URL, { jwks: keySetOf(fresh, old) });
    assert.equal(begin(method, bearer(token)).pending, null);
    rig.sets.set(URL, { jwks: keySetOf(fresh) });
    const check = begin(method, bearer(token));
    rig.refreshes.shift()!.done();
    assert.equal(outcome(await check.decision), 'token_key');
  });
});

describe('a key set of a URL', () => {
  const waiting = async (
    keys: readonly IssuerKey[],
  ): Promise<[MethodRig, ReturnType<MethodRig['remote']>]> => {
    const rig = new MethodRig();
    if (keys.length > 0) rig.sets.set(URL, { jwks: keySetOf(...keys) });
    return Promise.resolve([rig, rig.remote(URL)]);
  };

  it('is fetched again when a token names an unknown key', async () => {
    const [old, fresh] = await Promise.all([issuerKey('ES256', 'old'), issuerKey('ES256', 'fresh')]);
    const [rig, method] = await waiting([old]);
    const check = begin(method, bearer(await sign(fresh)));
    assert.deepEqual(
      rig.refreshes.map(({ url }) => url),
      [URL],
    );
    rig.sets.set(URL, { jwks: keySetOf(old, fresh) });
    rig.refreshes.shift()!.done();
    assert.equal(outcome(await check.decision), 'alice');
    assert.equal(rig.refreshes.length, 0);
  });

  it('is fetched at most once per token', async () => {
    const [old, fresh] = await Promise.all([issuerKey('ES256', 'old'), issuerKey('ES256', 'fresh')]);
    const [rig, method] = await waiting([old]);
    const check = begin(method, bearer(await sign(fresh)));
    rig.refreshes.shift()!.done();
    assert.equal(outcome(await check.decision), 'token_key');
    assert.equal(rig.refreshes.length, 0);
  });

  it('that was never fetched causes 503', async () => {
    const [rig, method] = await waiting([]);
    const check = begin(method, bearer(await sign(await issuerKey('ES256', 'a'))));
    rig.refreshes.shift()!.done();
    const decision = await check.decision;
    assert.ok(!decision.granted);
    assert.deepEqual([decision.status, decision.reason], [503, 'keys_unavailable']);
    assert.deepEqual(decision.headers, [['retry-after', '5']]);
  });

  it('is fetched again if no nameless key signed the token', async () => {
    const [old, fresh] = await Promise.all([issuerKey('ES256', null), issuerKey('ES256', null)]);
    const [rig, method] = await waiting([old]);
    const check = begin(method, bearer(await sign(fresh)));
    while (rig.refreshes.length === 0) await new Promise(setImmediate);
    rig.sets.set(URL, { jwks: keySetOf(fresh) });
    rig.refreshes.shift()!.done();
    assert.equal(outcome(await check.decision), 'alice');
  });

  it('may have several keys of one name, and a token without a name tries all', async () => {
    const keys = await Promise.all(['a', 'a', null].map((name) => issuerKey('ES256', name)));
    const [, method] = await waiting(keys);
    for (const key of keys) assert.equal(outcome(await decide(method, bearer(await sign(key)))), 'alice');
  });
});

describe('a check that is cancelled', () => {
  it('is never decided', async () => {
    const rig = new MethodRig();
    const key = await issuerKey('ES256', 'a');
    const method = rig.method(keySetOf(key));
    const decided: Decision[] = [];
    const token = await sign(key);
    const result = method.check(bearer(token), { decided: (decision) => void decided.push(decision) });
    assert.ok('cancel' in result);
    result.cancel();
    const other = method.check(bearer(token), { decided: (decision) => void decided.push(decision) });
    assert.ok('cancel' in other);
    granted(await decide(method, bearer(token)));
    assert.equal(decided.length, 1);
  });

  it('stops waiting for a key set', async () => {
    const rig = new MethodRig();
    const check = begin(rig.remote(URL), bearer(await sign(await issuerKey('ES256', 'a'))));
    assert.equal(rig.refreshes.length, 1);
    check.pending?.cancel();
    assert.equal(rig.refreshes.length, 0);
  });

  it('leaves the queue of verifications', async () => {
    const rig = new MethodRig();
    const key = await issuerKey('ES256', 'a');
    const method = rig.method(keySetOf(key));
    const subjects = Array.from({ length: 300 }, (_, index) => `user ${index}`);
    const tokens = await Promise.all(subjects.map((sub) => sign(key, claimsOf({ sub }))));
    const checks = tokens.map((token) => begin(method, bearer(token)));
    for (const check of checks.slice(0, -1)) check.pending?.cancel();
    assert.equal(outcome(await checks.at(-1)!.decision), 'user 299');
  });
});
