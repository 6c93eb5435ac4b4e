import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LeastConnections } from '../../../../src/upstream/balancers/least-connections.ts';
import { seeded } from '../../../support/random.ts';
import { endpointConfigs, endpointsOf, workers } from '../endpoints.ts';
import { type Create, activeOf, NONE, client, made, connect, sumOf, serve } from './policies.ts';

describe('least connections', () => {
  const least: Create = (_, random) => new LeastConnections(random);

  it('picks the endpoint with the fewest connections for its weight', () => {
    const endpoints = endpointsOf(1, 4);
    const balancer = made(least, endpoints, seeded(1));
    for (let count = 0; count < 3; count++) endpoints[1]!.acquire();
    // (3 + 1) / 4 equals (0 + 1) / 1: one more on the heavy endpoint makes the light one better.
    endpoints[1]!.acquire();
    assert.equal(balancer.pick(client(0), NONE), endpoints[0]);
    endpoints[0]!.acquire();
    assert.equal(balancer.pick(client(0), NONE), endpoints[1]);
  });

  it('rotates over equal endpoints if requests come one at a time', () => {
    const endpoints = endpointsOf(...new Array<number>(5).fill(0.2));
    const balancer = made(least, endpoints, seeded(6));
    for (let round = 0; round < 10; round++)
      assert.deepEqual(serve(balancer, endpoints, 5, 1), [1, 1, 1, 1, 1]);
  });

  it('gives exact shares by weight if requests come one at a time', () => {
    const endpoints = endpointsOf(2, 1);
    assert.deepEqual(serve(made(least, endpoints, seeded(1)), endpoints, 300, 1), [200, 100]);
  });

  it('picks an endpoint below the mean load, and the least loaded one if it stays below', () => {
    const given = fc.array(fc.tuple(fc.constantFrom(0.475, 1, 2, 3, 19), fc.nat(12)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(given, fc.nat(), (members, seed) => {
        const endpoints = endpointsOf(...members.map(([weight]) => weight));
        for (const [index, [, open]] of members.entries())
          for (let count = 0; count < open; count++) endpoints[index]!.acquire();
        const chosen = made(least, endpoints, seeded(seed)).pick(client(0), NONE)!;
        const mean = (activeOf(endpoints) + 1) / sumOf(endpoints.map(({ weight }) => weight));
        const lowest = endpoints.toSorted((a, b) => a.active / a.weight - b.active / b.weight)[0]!;
        if ((lowest.active + 1) / lowest.weight < mean - 1e-6)
          assert.equal(chosen.active / chosen.weight, lowest.active / lowest.weight);
        else assert.ok(chosen.active / chosen.weight < mean);
      }),
    );
  });

  it('always picks an endpoint with the fewest connections if weights are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), fc.nat(), (open, seed) => {
        const endpoints = endpointsOf(...open.map(() => 3));
        for (const [index, times] of open.entries())
          for (let count = 0; count < times; count++) endpoints[index]!.acquire();
        assert.equal(made(least, endpoints, seeded(seed)).pick(client(0), NONE)!.active, Math.min(...open));
      }),
    );
  });

  it('gives a dead endpoint no more than its share of first attempts, despite retries', () => {
    for (const weight of [1, 2]) {
      for (const others of [1, 2, 5]) {
        const endpoints = endpointsOf(weight, ...Array.from({ length: others }, () => 1));
        const [dead] = endpoints;
        const balancer = made(least, endpoints, seeded(others));
        const requests = 60 * (others + weight);
        let failed = 0;
        for (let turn = 0; turn < requests; turn++) {
          if (balancer.pick(client(turn), NONE) !== dead) continue;
          failed++;
          assert.notEqual(balancer.pick(client(turn), new Set([dead])), dead);
        }
        assert.ok(Math.abs(failed - 60 * weight) <= 2, `${failed} of ${requests}`);
      }
    }
  });

  it('returns to an endpoint whose connections have ended', () => {
    const endpoints = endpointsOf(1, 1);
    const balancer = made(least, endpoints, seeded(1));
    assert.deepEqual(connect(balancer, endpoints, 10), [5, 5]);
    for (let count = 0; count < 3; count++) endpoints[0]!.release();
    assert.deepEqual(connect(balancer, endpoints, 3), [3, 0]);
  });

  it('counts the connections of all workers', () => {
    const { endpoints } = workers(2, endpointConfigs([1, 1, 1]));
    const [mine, theirs] = [endpoints[0]!, endpoints[1]!];
    theirs[0]!.acquire();
    theirs[2]!.acquire();
    assert.equal(made(least, mine, seeded(1)).pick(client(0), NONE), mine[1]);
    mine[1]!.acquire();
    mine[1]!.acquire();
    theirs[0]!.acquire();
    assert.equal(made(least, mine, seeded(1)).pick(client(0), NONE), mine[2]);
  });

  it('breaks ties evenly', () => {
    const endpoints = endpointsOf(1, 1, 1, 1);
    const counts = endpoints.map(() => 0);
    const random = seeded(42);
    for (let turn = 0; turn < 4000; turn++) {
      const balancer = made(least, endpoints, random);
      counts[endpoints.indexOf(balancer.pick(client(0), NONE)!)]! += 1;
    }
    for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join(' '));
  });

  it('balances 1000 endpoints over four workers, although each pick compares only a few', () => {
    const { endpoints } = workers(4, endpointConfigs(new Array<number>(1000).fill(1)));
    const random = seeded(5);
    const balancers = endpoints.map((own) => made(least, own, random));
    for (let turn = 0; turn < 20_000; turn++) balancers[turn % 4]!.pick(client(0), NONE)!.acquire();
    const counts = endpoints[0]!.map(({ active }) => active);
    assert.ok(
      Math.max(...counts) <= 22 && Math.min(...counts) >= 18,
      `${Math.min(...counts)} to ${Math.max(...counts)}`,
    );
  });
});
