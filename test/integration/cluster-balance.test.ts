import { describe, it } from 'node:test';
import { assertEvenSpread } from '../support/cluster-balance.ts';

describe('four workers', { timeout: 300_000 }, () => {
  for (const balancer of ['round_robin', 'least_connections'] as const) {
    it(`balance 3,000 connections like one, within 3% of the weights: ${balancer}`, async (test) => {
      const got = await assertEvenSpread({ balancer, mode: 'l4', connections: 3000, waves: 1 });
      test.diagnostic(`weights 1 2 3 4 5 got ${got.join(' ')}`);
    });
  }
});
