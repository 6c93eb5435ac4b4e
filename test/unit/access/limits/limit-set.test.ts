import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitRefusal } from '../../../../src/access/contract/limit-guard.ts';
import type { LimitSet } from '../../../../src/access/limits/limit-set.ts';
import { LimitRig, principalOf, requestOf } from './rig.ts';

/** Lets a client in, or says which limit refuses. */
function enter(set: LimitSet, address: string, changes = {}): LimitRefusal | null {
  return set.enter('address', requestOf(address, changes), null, set.open());
}

describe('limits on handshakes', () => {
  it('admit the burst at once, then one by one', () => {
    const rig = new LimitRig();
    const set = rig.set({ handshakes: { perSecond: 10, burst: 5 } });
    for (let index = 0; index < 5; index++) assert.equal(enter(set, '10.0.0.1'), null);
    assert.equal(enter(set, '10.0.0.1')?.kind, 'handshakes');
    rig.pass(100);
    assert.equal(enter(set, '10.0.0.1'), null);
    assert.equal(enter(set, '10.0.0.1')?.kind, 'handshakes');
  });

  it('count each address apart, and an IPv6 network as one', () => {
    const rig = new LimitRig();
    const set = rig.set({ handshakes: { perSecond: 1, burst: 1 } });
    assert.equal(enter(set, '10.0.0.1'), null);
    assert.equal(enter(set, '10.0.0.2'), null);
    assert.equal(enter(set, '2001:db8::1'), null);
    assert.equal(enter(set, '2001:db8::2')?.kind, 'handshakes');
    assert.equal(enter(set, '2001:db8:0:1::2'), null);
  });

  it('do not count what they refuse', () => {
    const rig = new LimitRig();
    const set = rig.set({ handshakes: { perSecond: 1, burst: 1 } });
    assert.equal(enter(set, '10.0.0.1'), null);
    for (let index = 0; index < 100; index++) assert.notEqual(enter(set, '10.0.0.1'), null);
    rig.pass(1000);
    assert.equal(enter(set, '10.0.0.1'), null);
  });

  it('do not count plain requests, and limits on requests do not count handshakes', () => {
    const rig = new LimitRig();
    const rate = { perSecond: 1, burst: 1 };
    const set = rig.set({ handshakes: rate, requests: rate });
    assert.equal(enter(set, '10.0.0.1'), null);
    assert.equal(enter(set, '10.0.0.1', { wantsUpgrade: false }), null);
    assert.equal(enter(set, '10.0.0.1', { wantsUpgrade: false })?.kind, 'requests');
    assert.equal(enter(set, '10.0.0.1')?.kind, 'handshakes');
  });

  it('say when to retry, in RateLimit headers', () => {
    const rig = new LimitRig();
    const set = rig.set({ name: 'a "b"', handshakes: { perSecond: 0.5, burst: 10 } });
    for (let index = 0; index < 10; index++) enter(set, '10.0.0.1');
    assert.deepEqual(enter(set, '10.0.0.1'), {
      limit: 'a "b"',
      kind: 'handshakes',
      status: 429,
      detail: 'too many handshakes',
      headers: [
        ['retry-after', '2'],
        ['ratelimit-policy', String.raw`"a \"b\"";q=10;w=20`],
        ['ratelimit', String.raw`"a \"b\"";r=0;t=2`],
      ],
    });
    assert.deepEqual(rig.refused, ['a "b" handshakes']);
  });
});

describe('limits on connections', () => {
  it('hold a place until its release, which is idempotent', () => {
    const rig = new LimitRig();
    const set = rig.set({ connections: 2 });
    const holds = [set.open(), set.open(), set.open()] as const;
    const request = requestOf('10.0.0.1');
    assert.equal(set.enter('address', request, null, holds[0]), null);
    assert.equal(set.enter('address', request, null, holds[1]), null);
    assert.equal(set.enter('address', request, null, holds[2])?.kind, 'connections');
    holds[0].release();
    holds[0].release();
    holds[2].release();
    assert.equal(set.enter('address', request, null, holds[2]), null);
    assert.equal(set.enter('address', request, null, set.open())?.kind, 'connections');
  });

  it('count requests and connections of layer 4, too', () => {
    const rig = new LimitRig();
    const set = rig.set({ connections: 1 });
    const holds = set.open();
    assert.equal(set.enterConnection('10.0.0.1', holds), null);
    assert.equal(set.enterConnection('10.0.0.1', set.open())?.kind, 'connections');
    assert.equal(enter(set, '10.0.0.1', { wantsUpgrade: false })?.kind, 'connections');
    holds.release();
    assert.equal(set.enterConnection('10.0.0.1', set.open()), null);
  });
});

describe('several limits', () => {
  it('take nothing if one of them refuses', () => {
    const rig = new LimitRig();
    const wide = rig.limit({
      name: 'wide',
      key: { kind: 'host' },
      connections: 5,
      handshakes: { perSecond: 1, burst: 3 },
    });
    const narrow = rig.limit({ name: 'narrow', key: { kind: 'route' }, connections: 1 });
    const set = rig.setOf(wide, narrow);
    const request = requestOf('10.0.0.1');
    const first = set.open();
    assert.equal(set.enter('principal', request, principalOf('alice'), first), null);
    for (let index = 0; index < 20; index++) {
      assert.equal(set.enter('principal', request, principalOf('alice'), set.open())?.limit, 'narrow');
    }
    first.release();
    // Two handshakes of the burst are left: the refused ones took none.
    for (let left = 2; left > 0; left--) {
      const holds = set.open();
      assert.equal(set.enter('principal', request, principalOf('alice'), holds), null);
      holds.release();
    }
    assert.equal(set.enter('principal', request, principalOf('alice'), set.open())?.limit, 'wide');
    assert.deepEqual(rig.heldBy(wide), { pins: 0, connections: 0 });
    assert.deepEqual(rig.heldBy(narrow), { pins: 0, connections: 0 });
  });

  it('apply by address first, and by other keys at the second stage', () => {
    const rig = new LimitRig();
    const rate = { perSecond: 1, burst: 1 };
    const set = rig.set(
      { name: 'address', handshakes: rate },
      { name: 'tenant', key: { kind: 'claim', name: 'tenant' }, handshakes: rate },
    );
    const holds = set.open();
    const request = requestOf('10.0.0.1');
    const alice = principalOf('alice', { tenant: 7 });
    assert.equal(set.enter('address', request, null, holds), null);
    assert.equal(set.enter('principal', request, alice, holds), null);
    assert.equal(set.enter('address', request, null, holds)?.limit, 'address');
    assert.equal(set.enter('principal', request, alice, holds)?.limit, 'tenant');
  });
});
