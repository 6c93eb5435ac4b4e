import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { hostileKeys, HOSTILE_TOKENS, type HostileKeys } from './hostile-tokens.ts';
import { keySetOf, sign } from './issuer.ts';
import { bearer, decide, MethodRig, outcome } from './method-rig.ts';

const SETTINGS = { algorithms: ['RS256', 'ES256'], forward: new Map([['x-group', 'group']]) };

describe('a hostile token', () => {
  let keys: HostileKeys;
  before(async () => {
    keys = await hostileKeys();
  });
  const method = (): ReturnType<MethodRig['method']> =>
    new MethodRig().method(keySetOf(keys.rsa, keys.ec), SETTINGS);

  it('is one of at least 40, beside valid ones that are admitted', async () => {
    assert.ok(HOSTILE_TOKENS.length >= 40);
    assert.equal(outcome(await decide(method(), bearer(await sign(keys.rsa)))), 'alice');
    assert.equal(outcome(await decide(method(), bearer(await sign(keys.ec)))), 'alice');
  });

  for (const { name, reason, make } of HOSTILE_TOKENS) {
    it(`is refused: ${name}`, async () => {
      const token = await make(keys);
      const request = bearer(token);
      const route = method();
      for (const attempt of ['first', 'again']) {
        const decision = await decide(route, request);
        assert.equal(outcome(decision), reason, attempt);
        assert.ok(!decision.granted);
        assert.equal(decision.status, 401);
        assert.equal(decision.body, null);
        const told = JSON.stringify(decision);
        // Nothing that the client has sent comes back: not the token, and no word of it.
        for (const part of token.split('.')) if (part.length > 8) assert.ok(!told.includes(part));
        assert.doesNotMatch(told, /dev.null|SELECT|evil|alice|mail/);
      }
    });
  }

  it('made by changing a valid one is refused, without an exception', async () => {
    const good = await sign(keys.ec);
    const route = method();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.nat(3),
        fc.constantFrom('', '.', 'A', '_', '=', '%', ' ', '\x00', 'é', '..', '{"'),
        async (at, cut, put) => {
          const token = good.slice(0, at) + put + good.slice(at + cut);
          if (token.trim() === good) return;
          const decision = await decide(route, bearer(token));
          assert.ok(!decision.granted, token);
        },
      ),
      { numRuns: 300 },
    );
  });
});
