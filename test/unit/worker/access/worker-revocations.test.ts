import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Principal } from '../../../../src/access/contract/principal.ts';
import type { FromWorker } from '../../../../src/protocol/from-worker.ts';
import { WorkerRevocations } from '../../../../src/worker/access/worker-revocations.ts';

const NOW = Date.UTC(2030, 0, 1);
const UNTIL = NOW + 1000;
const FOR_EVER = Date.parse('9999-12-31T23:59:59.999Z');

function principal(changes: Partial<Principal> = {}): Principal {
  return { kind: 'jwt', name: 'alice', issuedAt: NOW - 10, expiresAt: NOW + 500, claims: null, ...changes };
}

function revocations(name: string): { list: WorkerRevocations; said: FromWorker[] } {
  const said: FromWorker[] = [];
  const known = [{ principal: name, at: NOW, until: UNTIL }];
  return { list: new WorkerRevocations(known, (message) => said.push(message)), said };
}

describe('the revocations of a worker', () => {
  it('refuse credentials that are older or of unknown age', () => {
    for (const name of ['alice', 'jwt:alice']) {
      const { list } = revocations(name);
      assert.equal(list.isRevoked(principal()), true);
      assert.equal(list.isRevoked(principal({ issuedAt: null })), true);
      assert.equal(list.isRevoked(principal({ issuedAt: NOW })), false);
      assert.equal(list.isRevoked(principal({ name: 'bob' })), false);
      assert.equal(list.isRevoked(principal({ kind: 'basic', issuedAt: null })), name === 'alice');
    }
  });

  it('come and go as the primary says', () => {
    const { list } = revocations('jwt:alice');
    list.handle({
      type: 'revocations',
      changed: [{ principal: 'bob', at: NOW, until: UNTIL }],
      ended: ['jwt:alice'],
    });
    assert.equal(list.isRevoked(principal()), false);
    assert.equal(list.isRevoked(principal({ name: 'bob' })), true);
  });

  for (const [credential, changes, neededUntil] of [
    ['a token that expires before', { expiresAt: UNTIL }, null],
    ['a token that expires later', { expiresAt: UNTIL + 1 }, UNTIL + 1],
    ['a token that never expires', { expiresAt: Infinity }, FOR_EVER],
    ['a token that expires after the year 9999', { expiresAt: 8e15 }, FOR_EVER],
    ['a password', { kind: 'basic', issuedAt: null, expiresAt: Infinity }, null],
    [
      'an identity from forward authentication',
      { kind: 'forward', issuedAt: null, expiresAt: Infinity },
      null,
    ],
  ] as const) {
    it(`are needed ${neededUntil === null ? 'no longer' : 'longer'} for ${credential}`, () => {
      const { list, said } = revocations('alice');
      assert.equal(list.isRevoked(principal(changes)), true);
      assert.deepEqual(
        said,
        neededUntil === null ? [] : [{ type: 'revoked_token', principal: 'alice', neededUntil }],
      );
    });
  }
});
