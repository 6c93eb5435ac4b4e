import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomChoice } from '../../../../src/upstream/balancers/random-choice.ts';
import { TwoChoices } from '../../../../src/upstream/balancers/two-choices.ts';
import { seeded } from '../../../support/random.ts';
import { endpointsOf } from '../endpoints.ts';
import { type Create, made, connect, assertShares, serve } from './policies.ts';

describe('two choices', () => {
  it('follow the weights if requests come one at a time', () => {
    const endpoints = endpointsOf(2, 1);
    const balancer = made((_, random) => new TwoChoices(random), endpoints, seeded(3));
    assertShares(serve(balancer, endpoints, 20_000, 1), [2, 1], 0.03);
  });

  it('keep the busiest endpoint close to the others, unlike a single choice', () => {
    const excess = (create: Create): number => {
      const endpoints = endpointsOf(...new Array<number>(20).fill(1));
      const counts = connect(made(create, endpoints, seeded(8)), endpoints, 20_000);
      return Math.max(...counts) - 1000;
    };
    const two = excess((_, random) => new TwoChoices(random));
    assert.ok(two <= 5, `${two} too many`);
    assert.ok(excess((_, random) => new RandomChoice(random)) > 5 * two);
  });
});
