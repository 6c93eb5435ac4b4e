import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LeastConnections } from '../../../../src/upstream/balancers/least-connections.ts';
import { TwoChoices } from '../../../../src/upstream/balancers/two-choices.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { seeded } from '../../../support/random.ts';
import { endpointConfigs, endpointState, endpointsOf, workers } from '../endpoints.ts';
import {
  type Create,
  activeOf,
  policies,
  NONE,
  client,
  made,
  connect,
  sumOf,
  assertShares,
  serve,
  weights,
} from './policies.ts';

for (const [name, { create, tolerance, exact = false }] of Object.entries(policies)) {
  describe(`the ${name} balancer`, () => {
    it('always picks the only endpoint', () => {
      const endpoints = endpointsOf(3);
      assert.deepEqual(connect(made(create, endpoints, seeded(1)), endpoints, 50), [50]);
    });

    it('picks none if there are no endpoints', () => {
      assert.equal(create([], seeded(1)).pick(client(1), NONE), null);
      assert.equal(made(create, [], seeded(1)).pick(client(1), NONE), null);
    });

    it('picks none if all are excluded, and recovers afterwards', () => {
      const endpoints = endpointsOf(1, 2, 3);
      const balancer = made(create, endpoints, seeded(1));
      for (let turn = 0; turn < 20; turn++)
        assert.equal(balancer.pick(client(turn), new Set(endpoints)), null);
      const counts = connect(balancer, endpoints, 600);
      if (exact) assert.deepEqual(counts, [100, 200, 300]);
      else assert.equal(sumOf(counts), 600);
    });

    it('never picks an excluded or ineligible endpoint, and always finds another', () => {
      fc.assert(
        fc.property(
          weights,
          fc.nat(63),
          fc.array(fc.tuple(fc.nat(63), fc.boolean()), { maxLength: 60 }),
          fc.nat(),
          (given, down, picks, seed) => {
            const endpoints = endpointsOf(...given);
            for (const [index, endpoint] of endpoints.entries())
              endpoint.eligible = (down & (1 << index)) === 0;
            const balancer = made(create, endpoints, seeded(seed));
            for (const [turn, [bits, keep]] of picks.entries()) {
              const excluded = new Set(endpoints.filter((_, index) => (bits & (1 << index)) !== 0));
              const endpoint = balancer.pick(client(turn), excluded);
              if (endpoint === null) {
                assert.ok(endpoints.every((candidate) => excluded.has(candidate) || !candidate.eligible));
              } else {
                assert.ok(endpoints.includes(endpoint) && endpoint.eligible && !excluded.has(endpoint));
                if (keep) endpoint.acquire();
              }
            }
          },
        ),
      );
    });

    it('adds new endpoints and drops removed ones', () => {
      const endpoints = endpointsOf(1, 1, 1, 1);
      const balancer = made(create, endpoints, seeded(3));
      for (const down of [0, 1, 2, 3]) {
        for (const [index, endpoint] of endpoints.entries()) endpoint.eligible = index !== down;
        balancer.update(endpoints);
        const seen = new Set<Endpoint>();
        for (let turn = 0; turn < 200; turn++) {
          const endpoint = balancer.pick(client(turn), NONE)!;
          endpoint.acquire();
          seen.add(endpoint);
        }
        assert.deepEqual(new Set(endpoints.filter((_, index) => index !== down)), seen);
      }
      const some = endpoints.slice(0, 2);
      for (const endpoint of endpoints) endpoint.eligible = true;
      balancer.update(some);
      for (let turn = 0; turn < 100; turn++) assert.ok(some.includes(balancer.pick(client(turn), NONE)!));
    });

    it('picks the only endpoint that is not excluded, however heavy the others are', () => {
      const endpoints = endpointsOf(...new Array<number>(300).fill(1_000_000), 1);
      const balancer = made(create, endpoints, seeded(2));
      const excluded = new Set(endpoints.slice(0, -1));
      for (let turn = 0; turn < 50; turn++)
        assert.equal(balancer.pick(client(turn), excluded), endpoints[300]);
    });

    it('does not count connections itself', () => {
      const endpoints = endpointsOf(1, 2);
      const balancer = made(create, endpoints, seeded(1));
      for (let turn = 0; turn < 10; turn++) balancer.pick(client(turn), NONE);
      assert.equal(activeOf(endpoints), 0);
    });

    it('gives every endpoint its share by weight', () => {
      const given = [1, 2, 3, 4, 5];
      const endpoints = endpointsOf(...given);
      assertShares(connect(made(create, endpoints, seeded(7)), endpoints, 20_000), given, tolerance);
    });

    it('gives a name its weight, however many addresses it has', () => {
      for (const pods of [1, 3, 40, 500]) {
        const given = [...Array.from({ length: pods }, () => 19 / pods), 1];
        const endpoints = endpointsOf(...given);
        const counts = connect(made(create, endpoints, seeded(13)), endpoints, 20_000);
        const other = counts.pop()!;
        assertShares([sumOf(counts), other], [19, 1], Math.max(tolerance, 0.05));
        // Even one of 500 addresses gets its share.
        if (exact) assert.ok(counts.every((count) => Math.abs(count - 19_000 / pods) <= 2));
      }
    });

    it('gives an endpoint in its slow start its current share', () => {
      const endpoints = endpointsOf(1, 1, 1, 1);
      endpoints[0]!.update(endpointState(endpointConfigs([1])[0]!, { warmLeftMs: 750 }), 0);
      endpoints[0]!.warm(0, 1000);
      assert.equal(endpoints[0]!.factor, 0.25);
      const counts = connect(made(create, endpoints, seeded(11)), endpoints, 13_000);
      // source_ip keeps the clients of an address together even during a slow start.
      if (name === 'source ip') return;
      assert.ok(counts[0]! > 600 && counts[0]! < 1500, counts.join(' '));
    });

    if (!exact) return;

    it('gives every endpoint its exact share by weight', () => {
      fc.assert(
        fc.property(weights, fc.nat(), (given, seed) => {
          const endpoints = endpointsOf(...given);
          const cycles = 3;
          const counts = connect(made(create, endpoints, seeded(seed)), endpoints, cycles * sumOf(given));
          for (const [index, weight] of given.entries()) {
            assert.ok(Math.abs(counts[index]! - cycles * weight) <= 1, counts.join(' '));
          }
        }),
      );
    });

    it('gives the others their exact shares while one is excluded', () => {
      const endpoints = endpointsOf(5, 2, 1, 2);
      const balancer = made(create, endpoints, seeded(5));
      const excluded = new Set([endpoints[1]!]);
      assert.deepEqual(connect(balancer, endpoints, 80, excluded), [50, 0, 10, 20]);
    });

    it('starts at different endpoints in different workers', () => {
      const firsts = new Set<number>();
      for (let seed = 0; seed < 40; seed++) {
        const endpoints = endpointsOf(1, 1, 1);
        const random = seeded(seed * 7919);
        random();
        firsts.add(endpoints.indexOf(made(create, endpoints, random).pick(client(0), NONE)!));
      }
      assert.equal(firsts.size, 3);
    });

    it('distributes 20,000 connections of 4 workers within 3% of the weights', () => {
      const given = [1, 2, 3, 4, 5];
      const { endpoints } = workers(4, endpointConfigs(given));
      const random = seeded(99);
      const balancers = endpoints.map((own) => made(create, own, random));
      for (let turn = 0; turn < 20_000; turn++) {
        balancers[Math.floor(random() * 4)]!.pick(client(turn), NONE)!.acquire();
      }
      const counts = endpoints[0]!.map(({ active }) => active);
      assert.equal(sumOf(counts), 20_000);
      assertShares(counts, given, 0.03);
    });
  });
}

for (const [name, create, off] of [
  ['least connections', (_, random) => new LeastConnections(random), 0.0025],
  ['two choices', (_, random) => new TwoChoices(random), 0.02],
] as const satisfies (readonly [string, Create, number])[]) {
  describe(`the ${name} balancer with a name of weight 19 beside a canary of weight 1`, () => {
    for (const pods of [1, 3, 40]) {
      it(`keeps 95:5 with ${pods} addresses, whatever the number of open requests`, () => {
        const endpoints = endpointsOf(...Array.from({ length: pods }, () => 19 / pods), 1);
        const balancer = made(create, endpoints, seeded(21));
        for (const most of [1, 2, 5, 10, 20, 40, 100]) {
          const share = serve(balancer, endpoints, 4000, most).at(-1)! / 4000;
          // With 10 open requests, the share of one endpoint is 9.5: it has 9 or 10, and the other has 1 or 0.
          const tolerance = pods === 1 && most === 10 ? 0.017 : off;
          assert.ok(Math.abs(share - 0.05) <= tolerance, `${share} with ${most} at a time`);
        }
      });
    }
  });
}
