import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Balancer } from '../../../../src/upstream/balancers/balancer.ts';
import type { PickContext } from '../../../../src/upstream/balancers/balancer.ts';
import { ConsistentHash } from '../../../../src/upstream/balancers/consistent-hash.ts';
import { LeastConnections } from '../../../../src/upstream/balancers/least-connections.ts';
import { RandomChoice } from '../../../../src/upstream/balancers/random-choice.ts';
import { RoundRobin } from '../../../../src/upstream/balancers/round-robin.ts';
import { SourceIp } from '../../../../src/upstream/balancers/source-ip.ts';
import { TwoChoices } from '../../../../src/upstream/balancers/two-choices.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { cursorOf } from '../endpoints.ts';

export type Create = (endpoints: readonly Endpoint[], random: () => number) => Balancer;

interface Policy {
  readonly create: Create;
  /** How far a share may be off after 20,000 connections of as many clients. */
  readonly tolerance: number;
  /** Whether shares are exact, connection by connection. */
  readonly exact?: boolean;
}

export function activeOf(endpoints: readonly Endpoint[]): number {
  return endpoints.reduce((sum, { active }) => sum + active, 0);
}

export const policies: Readonly<Record<string, Policy>> = {
  'round robin': {
    create: (_, random) => new RoundRobin(cursorOf(random), random),
    tolerance: 0.001,
    exact: true,
  },
  'least connections': { create: (_, random) => new LeastConnections(random), tolerance: 0.001, exact: true },
  random: { create: (_, random) => new RandomChoice(random), tolerance: 0.08 },
  'two choices': { create: (_, random) => new TwoChoices(random), tolerance: 0.05 },
  'source ip': { create: () => new SourceIp(), tolerance: 0.35 },
  'consistent hash': {
    create: (endpoints, random) =>
      new ConsistentHash({ bySource: false, loadFactor: 1.25, total: () => activeOf(endpoints), random }),
    tolerance: 0.26,
  },
};

export const NONE: ReadonlySet<Endpoint> = new Set();

export function client(index: number): PickContext {
  return {
    source: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    hashKey: `user-${index}`,
    sticky: [],
  };
}

export function made(create: Create, endpoints: readonly Endpoint[], random: () => number): Balancer {
  const balancer = create(endpoints, random);
  balancer.update(endpoints);
  return balancer;
}

/** Picks an endpoint for `times` clients in turn, and keeps every connection. Returns the number for each endpoint. */
export function connect(
  balancer: Balancer,
  endpoints: readonly Endpoint[],
  times: number,
  excluded: ReadonlySet<Endpoint> = NONE,
): number[] {
  const counts = endpoints.map(() => 0);
  for (let turn = 0; turn < times; turn++) {
    const endpoint = balancer.pick(client(turn), excluded);
    assert.ok(endpoint !== null);
    endpoint.acquire();
    counts[endpoints.indexOf(endpoint)]! += 1;
  }
  return counts;
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

export function assertShares(counts: readonly number[], weights: readonly number[], tolerance: number): void {
  for (const [index, weight] of weights.entries()) {
    const share = (sumOf(counts) * weight) / sumOf(weights);
    assert.ok(
      Math.abs(counts[index]! - share) <= Math.max(1, share * tolerance),
      `${counts.join(' ')} for ${weights.join(' ')}`,
    );
  }
}

/**
 * Serves requests with up to `most` open at a time, oldest ending first. Returns how many each endpoint got.
 */
export function serve(
  balancer: Balancer,
  endpoints: readonly Endpoint[],
  requests: number,
  most: number,
): number[] {
  const counts = endpoints.map(() => 0);
  const open: Endpoint[] = [];
  for (let turn = 0; turn < requests; turn++) {
    if (open.length === most) open.shift()!.release();
    const endpoint = balancer.pick(client(turn), NONE)!;
    endpoint.acquire();
    open.push(endpoint);
    counts[endpoints.indexOf(endpoint)]! += 1;
  }
  for (const endpoint of open) endpoint.release();
  return counts;
}

export const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });
