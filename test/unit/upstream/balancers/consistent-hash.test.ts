import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Balancer } from '../../../../src/upstream/balancers/balancer.ts';
import { ConsistentHash } from '../../../../src/upstream/balancers/consistent-hash.ts';
import { hashText } from '../../../../src/upstream/balancers/key-hash.ts';
import { SourceIp } from '../../../../src/upstream/balancers/source-ip.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { endpointConfigs, endpointsOf, workers } from '../endpoints.ts';

const NONE: ReadonlySet<Endpoint> = new Set();
const KEYS = 100_000;
const tens = new Array<number>(10).fill(1);

function pickAll(balancer: Balancer): (string | undefined)[] {
  return Array.from({ length: KEYS }, (_, index) => {
    const key = `session-${index}`;
    return balancer.pick({ source: key, hashKey: key, sticky: [] }, NONE)?.label;
  });
}

function hashOf(endpoints: readonly Endpoint[], loadFactor = 0): ConsistentHash {
  const total = (): number => endpoints.reduce((sum, { active }) => sum + active, 0);
  const balancer = new ConsistentHash({ bySource: false, loadFactor, total });
  balancer.update(endpoints);
  return balancer;
}

describe('consistent hashing of 100,000 keys', () => {
  it('chooses the same endpoint in every worker', () => {
    const { endpoints } = workers(4, endpointConfigs([1, 2, 3, 4, 5]));
    const [first, ...others] = endpoints.map((own) => pickAll(hashOf(own)));
    for (const other of others) assert.deepEqual(other, first);
  });

  it('moves only the keys of a removed endpoint, about 1/n of all', () => {
    const endpoints = endpointsOf(...tens);
    const before = pickAll(hashOf(endpoints));
    for (const gone of endpoints) {
      const after = pickAll(hashOf(endpoints.filter((endpoint) => endpoint !== gone)));
      const moved = before.filter((label, index) => label !== after[index]);
      assert.ok(moved.every((label) => label === gone.label));
      assert.ok(moved.length < (1.35 * KEYS) / 10, `${moved.length} keys moved`);
    }
  });

  it('moves only the keys that a new address of a name gets', () => {
    for (const weight of [1, 12, 19]) {
      const shared = (count: number): readonly Endpoint[] =>
        endpointsOf(...Array.from({ length: count }, () => weight / count));
      for (const count of [1, 3, 11]) {
        const before = pickAll(hashOf(shared(count)));
        const after = pickAll(hashOf(shared(count + 1)));
        const moved = after.filter((label, index) => label !== before[index]);
        assert.equal(new Set(moved).size, 1, 'keys moved to other addresses than the new one');
        assert.ok(moved.length < (1.35 * KEYS) / (count + 1), `${moved.length} keys moved`);
      }
    }
  });

  it('moves few additional keys if a listed endpoint stands beside a name whose addresses change', () => {
    const shared = (count: number): readonly Endpoint[] =>
      endpointsOf(1, ...Array.from({ length: count }, () => 19 / count));
    for (const count of [3, 10, 30]) {
      const before = pickAll(hashOf(shared(count)));
      const after = pickAll(hashOf(shared(count + 1)));
      const moved = after.filter((label, index) => label !== before[index]).length;
      assert.ok(moved < (2.5 * KEYS) / (count + 1), `${moved} keys moved for ${count}`);
    }
  });

  it('moves the keys of an endpoint that is down as if it were removed, and moves them back later', () => {
    const endpoints = endpointsOf(...tens);
    const balancer = hashOf(endpoints);
    const before = pickAll(balancer);
    endpoints[3]!.eligible = false;
    balancer.update(endpoints);
    assert.deepEqual(pickAll(balancer), pickAll(hashOf(endpoints.filter((_, index) => index !== 3))));
    endpoints[3]!.eligible = true;
    balancer.update(endpoints);
    assert.deepEqual(pickAll(balancer), before);
  });

  it('keeps the load of every endpoint within the bound, by weight', () => {
    for (const loadFactor of [1.1, 1.25, 2]) {
      const given = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5];
      const endpoints = endpointsOf(...given);
      const balancer = hashOf(endpoints, loadFactor);
      for (let index = 0; index < KEYS; index++) {
        const context = { source: '', hashKey: `session-${index}`, sticky: [] };
        balancer.pick(context, NONE)!.acquire();
      }
      for (const { active, weight } of endpoints) {
        const bound = Math.ceil((loadFactor * KEYS * weight) / 30);
        assert.ok(active <= bound, `${active} connections where ${bound} are allowed`);
      }
    }
  });

  it('keeps most keys at their first choice with bounded loads', () => {
    const endpoints = endpointsOf(...tens);
    const free = pickAll(hashOf(endpoints));
    const balancer = hashOf(endpoints, 1.25);
    let moved = 0;
    for (let index = 0; index < KEYS; index++) {
      const endpoint = balancer.pick({ source: '', hashKey: `session-${index}`, sticky: [] }, NONE)!;
      endpoint.acquire();
      if (endpoint.label !== free[index]) moved++;
    }
    assert.ok(moved < KEYS / 10, `${moved} keys moved`);
  });

  it('spreads clients over endpoints if all of them send the same key', () => {
    const endpoints = endpointsOf(...tens);
    const balancer = hashOf(endpoints, 1.25);
    for (let count = 0; count < 1000; count++) {
      balancer.pick({ source: '', hashKey: 'the same', sticky: [] }, NONE)!.acquire();
    }
    assert.ok(Math.max(...endpoints.map(({ active }) => active)) <= 125);
  });

  it('spreads clients without a key', () => {
    const endpoints = endpointsOf(...tens);
    const balancer = hashOf(endpoints);
    for (let count = 0; count < 5000; count++) {
      balancer.pick({ source: '192.0.2.1', hashKey: null, sticky: [] }, NONE)!.acquire();
    }
    assert.ok(endpoints.every(({ active }) => active > 300 && active < 750));
  });
});

describe('source_ip', () => {
  it('keeps an address at its endpoint under any load, as consistent hashing by source does', () => {
    const endpoints = endpointsOf(...tens);
    const balancer = new SourceIp();
    balancer.update(endpoints);
    const hashing = new ConsistentHash({ bySource: true, loadFactor: 0, total: () => 0 });
    hashing.update(endpoints);
    const context = { source: '198.51.100.7', hashKey: 'other', sticky: [] };
    const first = balancer.pick(context, NONE);
    for (let count = 0; count < 500; count++) {
      const endpoint = balancer.pick(context, NONE)!;
      assert.equal(endpoint, first);
      endpoint.acquire();
    }
    assert.equal(hashing.pick(context, NONE), first);
  });
});

describe('the hash of a key', () => {
  it('is FNV-1a with mixed bits, and the same in every version', () => {
    // Computed by another program from the definitions; a change would move every key.
    assert.equal(hashText(''), 0xab3e7c0b);
    assert.equal(hashText('10.0.0.1'), 0xaebc85ae);
  });

  it('has evenly distributed bits', () => {
    const ones = new Array<number>(32).fill(0);
    for (let index = 0; index < 10_000; index++) {
      const hash = hashText(`10.0.${index >> 8}.${index & 255}`);
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (hash >>> bit) & 1;
    }
    for (const count of ones) assert.ok(count > 4700 && count < 5300, ones.join(' '));
  });
});
