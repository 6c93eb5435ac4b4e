import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Balancer } from '../../../../src/upstream/balancers/balancer.ts';
import { RoundRobin } from '../../../../src/upstream/balancers/round-robin.ts';
import { allocateCursor, SharedCursor } from '../../../../src/upstream/balancers/shared-cursor.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { seeded } from '../../../support/random.ts';
import { cursorOf, endpointConfigs, endpointsOf, workers } from '../endpoints.ts';
import { NONE, client, made, sumOf, assertShares, weights } from './policies.ts';

describe('round robin', () => {
  const sequence = (endpoints: readonly Endpoint[], balancer: Balancer, length: number): string =>
    Array.from({ length }, () => 'abcdefgh'[endpoints.indexOf(balancer.pick(client(0), NONE)!)]).join('');

  it('interleaves the turns of a heavy endpoint with the turns of others', () => {
    const endpoints = endpointsOf(4, 1, 1);
    const phases = [0.5, 0.5, 0.6];
    const balancer = made(() => new RoundRobin(cursorOf(), () => phases.shift()!), endpoints, Math.random);
    assert.equal(sequence(endpoints, balancer, 12), 'aabcaaaabcaa');
  });

  it('takes equal endpoints in turn', () => {
    const endpoints = endpointsOf(1, 1, 1);
    const phases = [0, 0.3, 0.6];
    const balancer = made(() => new RoundRobin(cursorOf(), () => phases.shift()!), endpoints, Math.random);
    assert.equal(sequence(endpoints, balancer, 7), 'abcabca');
  });

  for (const weight of [1, 2]) {
    it(`gives a dead endpoint of weight ${weight} no more than its share of first attempts, despite retries`, () => {
      for (const others of [1, 2, 5]) {
        const endpoints = endpointsOf(weight, ...Array.from({ length: others }, () => 1));
        const [dead] = endpoints;
        const random = seeded(others);
        const balancer = made(() => new RoundRobin(cursorOf(random), random), endpoints, Math.random);
        const served = new Map<Endpoint, number>();
        let failed = 0;
        const clients = 100 * (others + weight) * others;
        for (let turn = 0; turn < clients; turn++) {
          let endpoint = balancer.pick(client(turn), NONE)!;
          if (endpoint === dead) {
            failed++;
            endpoint = balancer.pick(client(turn), new Set([dead]))!;
          }
          served.set(endpoint, (served.get(endpoint) ?? 0) + 1);
        }
        const turns = (clients * weight) / (others + weight);
        assert.ok(failed <= turns + 1, `${failed} of ${clients} at the dead endpoint`);
        // Equal endpoints get retries at random, others in turn.
        const tolerance = weight === 1 ? (0.1 * clients) / others : 2;
        for (const count of served.values())
          assert.ok(Math.abs(count - clients / others) <= tolerance, [...served.values()].join(' '));
      }
    });
  }

  describe('over several workers', () => {
    const team = (count: number, given: readonly number[]) => {
      const { endpoints } = workers(count, endpointConfigs(given));
      const memory = allocateCursor();
      const balancers = endpoints.map((own, index) =>
        made(() => new RoundRobin(new SharedCursor(memory), seeded(index)), own, Math.random),
      );
      const pick = (worker: number, excluded: readonly number[] = []): number => {
        const own = endpoints[worker]!;
        const chosen = balancers[worker]!.pick(client(0), new Set(excluded.map((index) => own[index]!)));
        return own.indexOf(chosen!);
      };
      const update = (change: (endpoint: Endpoint, index: number) => void): void => {
        for (const [worker, own] of endpoints.entries()) {
          for (const [index, endpoint] of own.entries()) change(endpoint, index);
          balancers[worker]!.update(own);
        }
      };
      return { pick, update };
    };

    it('alternates, whichever worker picks', () => {
      const { pick } = team(3, [1, 1]);
      const random = seeded(4);
      let last = pick(0);
      for (let turn = 0; turn < 500; turn++) {
        const next = pick(Math.floor(random() * 3));
        assert.equal(next, 1 - last);
        last = next;
      }
    });

    it('rotates over eligible endpoints, and over all when they recover', () => {
      const { pick, update } = team(2, [3, 3, 3, 3]);
      const round = (length: number): number[] =>
        Array.from({ length }, (_, turn) => pick(turn % 2)).sort((a, b) => a - b);
      assert.deepEqual(round(8), [0, 0, 1, 1, 2, 2, 3, 3]);
      update((endpoint, index) => (endpoint.eligible = index !== 2));
      assert.deepEqual(round(9), [0, 0, 0, 1, 1, 1, 3, 3, 3]);
      update((endpoint) => (endpoint.eligible = true));
      assert.deepEqual(round(8), [0, 0, 1, 1, 2, 2, 3, 3]);
    });

    it('does not lose its place to retries', () => {
      const { pick } = team(2, [1, 1, 1]);
      const first = pick(0);
      for (let turn = 0; turn < 20; turn++) assert.notEqual(pick(turn % 2, [first]), first);
      assert.equal(pick(1), (first + 1) % 3);
    });

    it('spreads the retries of several dead endpoints evenly', () => {
      const { pick } = team(2, [1, 1, 1, 1, 1]);
      const served = [0, 0, 0, 0, 0];
      for (let turn = 0; turn < 15_000; turn++) {
        const failed: number[] = [];
        let chosen = pick(turn % 2);
        for (; chosen === 0 || chosen === 2; chosen = pick(turn % 2, failed)) failed.push(chosen);
        served[chosen]! += 1;
      }
      assertShares(served, [0, 1, 0, 1, 1], 0.05);
    });

    it('starts at a random endpoint, so that several proxies differ', () => {
      const firsts = new Set(Array.from({ length: 60 }, () => team(1, [1, 1, 1]).pick(0)));
      assert.equal(firsts.size, 3);
    });

    it("keeps each worker's shares during a slow start, then shares turns between workers again", () => {
      const { pick, update } = team(2, [1, 1]);
      update((endpoint, index) => (endpoint.factor = index === 0 ? 0.25 : 1));
      const counts = [0, 0];
      for (let turn = 0; turn < 100; turn++) counts[pick(0)]! += 1;
      assertShares(counts, [1, 4], 0.05);
      update((endpoint) => (endpoint.factor = 1));
      const first = pick(0);
      assert.deepEqual([pick(1), pick(1), pick(0)], [1 - first, first, 1 - first]);
    });
  });

  it('stays close to the exact shares after every pick', () => {
    fc.assert(
      fc.property(weights, fc.nat(), (given, seed) => {
        const endpoints = endpointsOf(...given);
        const balancer = made(
          (_, random) => new RoundRobin(cursorOf(random), random),
          endpoints,
          seeded(seed),
        );
        const sum = sumOf(given);
        const counts = given.map(() => 0);
        for (let turn = 1; turn <= 2 * sum; turn++) {
          counts[endpoints.indexOf(balancer.pick(client(0), NONE)!)]! += 1;
          for (const [index, weight] of given.entries()) {
            const off = Math.abs(counts[index]! - (turn * weight) / sum);
            assert.ok(off < given.length + 1, `off by ${off} after ${turn} turns`);
          }
        }
      }),
    );
  });
});
