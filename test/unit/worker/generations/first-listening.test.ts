/** What happens between the making of a worker's first listeners and their first connections. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { World } from './fakes.ts';

const WEB = { name: 'web', address: ':80', cluster: 'blue' };
const API = { name: 'api', address: ':81', cluster: 'blue' };

describe('the first listeners', () => {
  it('are all created before the worker cleans up its heap, and accept only after that', async () => {
    const { generations, layer } = new World([WEB, API]);
    const seen: string[][] = [];
    await generations.listen(() => seen.push(...layer.made.map(({ asked }) => [...asked])));
    assert.deepEqual(seen, [[], []]);
    assert.deepEqual(
      layer.made.map(({ asked }) => asked),
      [['listen'], ['listen']],
    );
  });
});
