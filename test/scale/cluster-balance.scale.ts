/** 20,000 connections over 4 workers to 5 endpoints of weights 1 to 5, at either layer. */
import { describe, it } from 'node:test';
import { assertEvenSpread } from '../support/rigs/cluster-balance.ts';

describe('20,000 connections over 4 workers', () => {
  for (const mode of ['l4', 'l7'] as const) {
    for (const balancer of ['round_robin', 'least_connections'] as const) {
      it(`land within 3% of the weights: ${balancer} at ${mode}`, async (test) => {
        const got = await assertEvenSpread({ balancer, mode, connections: 4000, waves: 5 });
        test.diagnostic(`weights 1 2 3 4 5 got ${got.join(' ')}`);
      });
    }
  }
});
