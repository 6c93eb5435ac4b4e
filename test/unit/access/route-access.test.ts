import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RouteAccess } from '../../../src/access/route-access.ts';
import type { AccessSettings, JwtSettings } from '../../../src/config/types/access.ts';
import { FakeLimits, principalOf } from './fakes.ts';

const NONE: AccessSettings = {
  deny: [],
  allow: null,
  origins: null,
  basic: null,
  jwt: null,
  forwardAuth: null,
};
const JWT: JwtSettings = {
  keys: { kind: 'url', url: 'https://id.example.com/jwks.json' },
  algorithms: ['ES256'],
  issuers: [],
  audiences: [],
  from: [{ kind: 'header', name: 'authorization' }],
  requiredClaims: new Map(),
  forward: new Map(),
  atExpiry: 'close',
  graceMs: 60_000,
  leewayMs: 0,
};

const NONE_REVOKED = { isRevoked: () => false };

function accessOf(changes: Partial<AccessSettings>, random = 0): RouteAccess {
  return new RouteAccess({ ...NONE, ...changes }, [], null, NONE_REVOKED, () => random);
}

describe('the access of a route', () => {
  it('requires nothing without settings', () => {
    const limits = new FakeLimits();
    const access = new RouteAccess(null, [], limits, NONE_REVOKED);
    assert.deepEqual([access.addresses, access.origins, access.methods], [null, null, []]);
    assert.equal(access.limits, limits);
  });

  it('checks addresses only if some are refused', () => {
    assert.equal(accessOf({}).addresses, null);
    assert.equal(accessOf({ deny: ['192.0.2.0/24'] }).addresses?.admits('192.0.2.7'), false);
    assert.equal(accessOf({ allow: ['10.0.0.0/8'] }).addresses?.admits('192.0.2.7'), false);
    assert.equal(accessOf({ allow: ['10.0.0.0/8'] }).addresses?.admits('10.1.2.3'), true);
  });

  it('ends the sessions of a token after the grace period', () => {
    const alice = principalOf('alice', { expiresAt: 1_000_000 });
    assert.equal(accessOf({ jwt: JWT }).endOf(alice, 0), 1_060_000);
    assert.equal(accessOf({ jwt: { ...JWT, graceMs: 0 } }, 1).endOf(alice, 0), 1_000_000);
  });

  it('ends a session admitted by the leeway when the leeway ends', () => {
    const alice = principalOf('alice', { expiresAt: 1_000_000 });
    const access = accessOf({ jwt: { ...JWT, graceMs: 0, leewayMs: 30_000 } });
    assert.equal(access.endOf(alice, 999_999), 1_000_000);
    assert.equal(access.endOf(alice, 1_000_000), 1_030_000);
    assert.equal(access.endOf(alice, 1_020_000), 1_030_000);
  });

  it('spreads the ends by a tenth of the grace period', () => {
    const alice = principalOf('alice', { expiresAt: 1_000_000 });
    assert.equal(accessOf({ jwt: JWT }, 1).endOf(alice, 0), 1_066_000);
    assert.equal(accessOf({ jwt: JWT }, 0.5).endOf(alice, 0), 1_063_000);
  });

  it('keeps the session if its token never expires, or its expiry is ignored', () => {
    assert.equal(accessOf({ jwt: JWT }).endOf(principalOf('alice'), 0), Infinity);
    const ignoring = accessOf({ jwt: { ...JWT, atExpiry: 'ignore' } });
    assert.equal(ignoring.endOf(principalOf('alice', { expiresAt: 1 }), 0), Infinity);
    assert.equal(accessOf({}).endOf(principalOf('alice', { expiresAt: 1 }), 0), Infinity);
  });
});
