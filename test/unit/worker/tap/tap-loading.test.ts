import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTaps } from '../../../../src/worker/tap/tap-loading.ts';

async function turnsFor(tap: 'off' | 'headers' | 'payload', tapRedact: readonly string[]): Promise<number> {
  let turns = 0;
  await loadTaps({ tap, tapRedact }, () => {
    turns++;
    return Promise.resolve();
  });
  return turns;
}

describe('the loading of taps', () => {
  it('does nothing if no tap is allowed, and otherwise lets others run in between', async () => {
    assert.equal(await turnsFor('off', ['$.a']), 0);
    assert.equal(await turnsFor('headers', []), 1);
    assert.ok((await turnsFor('headers', ['/a/'])) >= 3);
    assert.ok((await turnsFor('payload', [])) >= 3);
  });
});
