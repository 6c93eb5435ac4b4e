import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Balancer } from '../../../src/upstream/balancer.ts';
import { LeastConnections } from '../../../src/upstream/balancers/least-connections.ts';
import { RoundRobin } from '../../../src/upstream/balancers/round-robin.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { endpointConfigs, endpointsOf, seeded, workers } from './endpoints.ts';

type Create = (endpoints: readonly Endpoint[], random: () => number) => Balancer;

const balancers: Readonly<Record<string, Create>> = {
  'round robin': (endpoints, random) => new RoundRobin(endpoints, random),
  'least connections': (endpoints, random) => new LeastConnections(endpoints, random),
};

const NONE: ReadonlySet<Endpoint> = new Set();

/** Picks so often and keeps every connection; returns how many each endpoint has got. */
function connect(
  balancer: Balancer,
  endpoints: readonly Endpoint[],
  times: number,
  excluded: ReadonlySet<Endpoint> = NONE,
): number[] {
  const counts = endpoints.map(() => 0);
  for (let turn = 0; turn < times; turn++) {
    const endpoint = balancer.pick(excluded);
    assert.ok(endpoint !== null);
    endpoint.acquire();
    counts[endpoints.indexOf(endpoint)]! += 1;
  }
  return counts;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });

for (const [name, create] of Object.entries(balancers)) {
  describe(`the ${name} balancer`, () => {
    it('picks the one endpoint that there is, always', () => {
      const endpoints = endpointsOf(3);
      assert.deepEqual(connect(create(endpoints, seeded(1)), endpoints, 50), [50]);
    });

    it('picks none where there is none', () => {
      assert.equal(create([], seeded(1)).pick(NONE), null);
    });

    it('picks none where all are excluded, and goes on when they are not any more', () => {
      const endpoints = endpointsOf(1, 2, 3);
      const balancer = create(endpoints, seeded(1));
      for (let turn = 0; turn < 20; turn++) assert.equal(balancer.pick(new Set(endpoints)), null);
      assert.deepEqual(connect(balancer, endpoints, 600), [100, 200, 300]);
    });

    it('never picks an excluded endpoint, and always one while there is one', () => {
      fc.assert(
        fc.property(
          weights,
          fc.array(fc.tuple(fc.nat(63), fc.boolean()), { maxLength: 60 }),
          fc.nat(),
          (given, picks, seed) => {
            const endpoints = endpointsOf(...given);
            const balancer = create(endpoints, seeded(seed));
            for (const [bits, keep] of picks) {
              const excluded = new Set(endpoints.filter((_, index) => (bits & (1 << index)) !== 0));
              const endpoint = balancer.pick(excluded);
              if (endpoint === null) {
                assert.equal(excluded.size, endpoints.length);
              } else {
                assert.ok(endpoints.includes(endpoint));
                assert.ok(!excluded.has(endpoint));
                if (keep) endpoint.acquire();
              }
            }
          },
        ),
      );
    });

    it('does not count connections itself', () => {
      const endpoints = endpointsOf(1, 2);
      const balancer = create(endpoints, seeded(1));
      for (let turn = 0; turn < 10; turn++) balancer.pick(NONE);
      assert.deepEqual(
        endpoints.map(({ active }) => active),
        [0, 0],
      );
    });

    it('gives every endpoint its exact share by weight', () => {
      fc.assert(
        fc.property(weights, fc.nat(), (given, seed) => {
          const endpoints = endpointsOf(...given);
          const cycles = 3;
          const counts = connect(create(endpoints, seeded(seed)), endpoints, cycles * sumOf(given));
          assert.deepEqual(
            counts,
            given.map((weight) => cycles * weight),
          );
        }),
      );
    });

    it('gives the others their exact shares while one is excluded', () => {
      const endpoints = endpointsOf(5, 2, 1, 2);
      const balancer = create(endpoints, seeded(5));
      const excluded = new Set([endpoints[1]!]);
      assert.deepEqual(connect(balancer, endpoints, 80, excluded), [50, 0, 10, 20]);
    });

    it('does not begin with the same endpoint in every worker', () => {
      const firsts = new Set<number>();
      for (let seed = 0; seed < 40; seed++) {
        const endpoints = endpointsOf(1, 1, 1);
        const random = seeded(seed * 7919);
        random();
        firsts.add(endpoints.indexOf(create(endpoints, random).pick(NONE)!));
      }
      assert.equal(firsts.size, 3);
    });
  });
}

describe('round robin', () => {
  const sequence = (endpoints: readonly Endpoint[], balancer: Balancer, length: number): string =>
    Array.from({ length }, () => 'abcdefgh'[endpoints.indexOf(balancer.pick(NONE)!)]).join('');

  it('spreads the turns of a heavy endpoint: 5, 1, 1 give a a b a c a a', () => {
    const endpoints = endpointsOf(5, 1, 1);
    assert.equal(sequence(endpoints, new RoundRobin(endpoints, () => 0), 14), 'aabacaaaabacaa');
  });

  it('takes equal endpoints in turn', () => {
    const endpoints = endpointsOf(1, 1, 1);
    assert.equal(sequence(endpoints, new RoundRobin(endpoints, () => 0), 7), 'abcabca');
  });

  it('begins anywhere in the sequence by chance', () => {
    const whole = 'aabacaaaabacaa';
    for (let turned = 0; turned < 7; turned++) {
      const endpoints = endpointsOf(5, 1, 1);
      const balancer = new RoundRobin(endpoints, () => (turned + 0.5) / 7);
      assert.equal(sequence(endpoints, balancer, 7), whole.slice(turned, turned + 7));
    }
  });

  it('is made in no time with large weights', () => {
    const endpoints = endpointsOf(1_000_000_000, 999_999_999);
    const start = performance.now();
    new RoundRobin(endpoints, () => 0.999);
    assert.ok(performance.now() - start < 500);
  });

  it('is never far from the exact shares', () => {
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 0.99, noNaN: true }), (given, chance) => {
        const endpoints = endpointsOf(...given);
        const balancer = new RoundRobin(endpoints, () => chance);
        const sum = sumOf(given);
        const counts = given.map(() => 0);
        for (let turn = 1; turn <= 2 * sum; turn++) {
          counts[endpoints.indexOf(balancer.pick(NONE)!)]! += 1;
          for (const [index, weight] of given.entries()) {
            const off = Math.abs(counts[index]! - (turn * weight) / sum);
            assert.ok(off < given.length, `off by ${off} after ${turn} turns`);
          }
        }
      }),
    );
  });
});

describe('least connections', () => {
  it('picks the endpoint with the fewest connections for its weight', () => {
    const endpoints = endpointsOf(1, 4);
    const balancer = new LeastConnections(endpoints, seeded(1));
    for (let count = 0; count < 3; count++) endpoints[1]!.acquire();
    // (3 + 1) / 4 and (0 + 1) / 1 are the same: with one more the light one is the better.
    endpoints[1]!.acquire();
    assert.equal(balancer.pick(NONE), endpoints[0]);
    endpoints[0]!.acquire();
    assert.equal(balancer.pick(NONE), endpoints[1]);
  });

  it('prefers the heavier of two idle endpoints', () => {
    const endpoints = endpointsOf(1, 2, 1);
    for (let seed = 0; seed < 20; seed++) {
      assert.equal(new LeastConnections(endpoints, seeded(seed)).pick(NONE), endpoints[1]);
    }
  });

  it('goes back to an endpoint whose connections have ended', () => {
    const endpoints = endpointsOf(1, 1);
    const balancer = new LeastConnections(endpoints, seeded(1));
    assert.deepEqual(connect(balancer, endpoints, 10), [5, 5]);
    for (let count = 0; count < 3; count++) endpoints[0]!.release();
    assert.deepEqual(connect(balancer, endpoints, 3), [3, 0]);
  });

  it('counts the connections of all workers', () => {
    const { endpoints } = workers(2, endpointConfigs([1, 1, 1]));
    const [mine, theirs] = [endpoints[0]!, endpoints[1]!];
    theirs[0]!.acquire();
    theirs[2]!.acquire();
    assert.equal(new LeastConnections(mine, seeded(1)).pick(NONE), mine[1]);
    mine[1]!.acquire();
    mine[1]!.acquire();
    theirs[0]!.acquire();
    assert.equal(new LeastConnections(mine, seeded(1)).pick(NONE), mine[2]);
  });

  it('breaks ties evenly', () => {
    const endpoints = endpointsOf(1, 1, 1, 1);
    const balancer = new LeastConnections(endpoints, seeded(42));
    const counts = endpoints.map(() => 0);
    for (let turn = 0; turn < 4000; turn++) counts[endpoints.indexOf(balancer.pick(NONE)!)]! += 1;
    for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join(' '));
  });
});
