import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { principalOf, TokenRules } from '../../../../../src/access/credentials/jwt/token-rules.ts';

const NOW = 1_700_000_000_000;
const LENIENT = {
  issuers: [],
  audiences: [],
  leewayMs: 0,
  requiredClaims: new Map<string, readonly string[]>(),
  forward: new Map<string, string>(),
};

/** Finds the problem of claims that lack a required one. */
function problem(name: string, accepted: readonly string[], claim: unknown): string | null {
  const rules = new TokenRules({ ...LENIENT, requiredClaims: new Map([[name, accepted]]) });
  return rules.problemOf({ sub: 'alice', [name]: claim }, NOW);
}

describe('a required claim', () => {
  it('has one of the accepted values, as a text, a number, a boolean or a member of a list', () => {
    for (const [accepted, claim] of [
      [['user', 'admin'], 'admin'],
      [['5'], 5],
      [['1.5'], 1.5],
      [['true'], true],
      [['user'], ['guest', 'user']],
      [['5'], [4, 5]],
    ] as const) {
      assert.equal(problem('role', accepted, claim), null, JSON.stringify(claim));
    }
  });

  it('is refused if it is missing, another value, or no value to compare', () => {
    for (const claim of [undefined, null, 'users', 'User', '', [], ['users'], { user: true }, [['user']]]) {
      assert.equal(problem('role', ['user'], claim), 'required', JSON.stringify(claim));
    }
  });

  it('may be one word of a scope', () => {
    assert.equal(problem('scope', ['chat'], 'openid chat profile'), null);
    assert.equal(problem('scope', ['chat'], 'openid chats'), 'required');
    assert.equal(problem('role', ['chat'], 'openid chat profile'), 'required');
  });
});

describe('an audience', () => {
  it('is a text or one of a list', () => {
    const rules = new TokenRules({ ...LENIENT, audiences: ['a', 'b'] });
    for (const aud of ['a', 'b', ['x', 'b']]) assert.equal(rules.problemOf({ sub: 's', aud }, NOW), null);
    for (const aud of [undefined, 'x', [], [['a']], { a: 1 }, 1]) {
      assert.equal(rules.problemOf({ sub: 's', aud }, NOW), 'audience');
    }
  });
});

describe('a forwarded claim', () => {
  const forwarded = (claim: unknown): unknown =>
    new TokenRules({ ...LENIENT, forward: new Map([['x-claim', 'claim']]) }).forwardedOf({ claim });

  it('is a header with the text, the number, the boolean or the list', () => {
    for (const [claim, text] of [
      ['a b, c', 'a b, c'],
      [1e21, '1e+21'],
      [false, 'false'],
      [['a', 1, true], 'a,1,true'],
      ['\u20ac', '\xe2\x82\xac'],
    ] as const) {
      assert.deepEqual(forwarded(claim), ['x-claim', text]);
    }
  });

  it('is left out if it has no text', () => {
    for (const claim of [undefined, null, {}, [], '', ['a', {}], [null]]) {
      assert.deepEqual(forwarded(claim), [], JSON.stringify(claim));
    }
  });

  it('is a problem if it cannot be a header, or not one with the same meaning', () => {
    for (const claim of [
      'a\r\nb: c',
      '\0',
      'a\x7f',
      'x'.repeat(4097),
      ['a,b'],
      ['a\n'],
      ' a',
      ['a', 'b\t'],
      '\ud800',
    ]) {
      assert.equal(forwarded(claim), 'forward', JSON.stringify(claim).slice(0, 20));
    }
  });
});

describe('the principal of a token', () => {
  it('never expires if its expiry cannot be formatted as a date', () => {
    assert.equal(principalOf({ sub: 'a', exp: 8.64e12 }).expiresAt, 8.64e15);
    assert.equal(principalOf({ sub: 'a', exp: 8.64e12 + 1 }).expiresAt, Infinity);
    assert.equal(principalOf({ sub: 'a', exp: 1e300 }).expiresAt, Infinity);
    assert.equal(principalOf({ sub: 'a' }).expiresAt, Infinity);
  });
});
