/** Sessions and tunnels in use while everything else of the configuration changes at random. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ChangeStorm } from '../../support/rigs/change-storm.ts';

describe('random changes of a configuration', { timeout: 180_000 }, () => {
  let storm: ChangeStorm;
  before(async () => {
    storm = await ChangeStorm.prepare({
      engine: 'auto',
      sessions: 40,
      tunnels: 10,
      reloads: 15,
      badReloads: 5,
      periodMs: 200,
      seed: 1,
    });
  });
  after(() => storm.end());

  it('are not noticed by sessions and tunnels on what stays, and leave nothing behind', async (t) => {
    const { answers, seconds } = await storm.run();
    t.diagnostic(`${answers} messages answered in ${seconds.toFixed(1)} s`);
    assert.ok(answers > 50);
  });
});
