import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitGuard } from '../../../src/access/contract/limit-guard.ts';
import { ClientGate } from '../../../src/l4/client-gate.ts';
import type { ConnectionHolds } from '../../../src/transport/entry.ts';
import { FakeLimits, guardsOf } from '../access/fakes.ts';
import { l4Listener } from '../primary/fixtures/config.ts';

const DENYING = { deny: ['203.0.113.0/24'], allow: null };
const OPEN = { origins: null, basic: null, jwt: null, forwardAuth: null };

function gateOf(rules: { deny: string[]; allow: null } | null, limits: LimitGuard | null): ClientGate | null {
  const access = rules === null ? null : { ...OPEN, ...rules };
  return ClientGate.of({ ...l4Listener, access }, guardsOf(limits));
}

describe('the client gate', () => {
  it('does not exist without rules and limits', () => {
    assert.equal(gateOf(null, null), null);
    assert.equal(gateOf({ deny: [], allow: null }, null), null);
  });

  it('refuses by the address rules before a limit counts', () => {
    const limits = new FakeLimits('address');
    const gate = gateOf(DENYING, limits)!;
    assert.deepEqual(gate.admit('203.0.113.9'), {
      reason: 'access',
      detail: "the address rules refuse the client's address",
    });
    assert.deepEqual(limits.entered, []);
  });

  it('refuses by a limit, and names it', () => {
    const gate = gateOf(DENYING, new FakeLimits('address'))!;
    assert.deepEqual(gate.admit('10.0.0.1'), {
      reason: 'rate',
      detail: 'limit "address": too many handshakes',
    });
  });

  it('admits a client with the places it holds', () => {
    const limits = new FakeLimits();
    const holds = gateOf(null, limits)!.admit('10.0.0.1') as ConnectionHolds;
    assert.deepEqual([limits.entered, limits.held], [['connection 10.0.0.1'], 1]);
    holds.release();
    assert.equal(limits.held, 0);
  });

  it('admits a client without places', () => {
    assert.equal(gateOf(DENYING, null)!.admit('10.0.0.1'), null);
  });
});
