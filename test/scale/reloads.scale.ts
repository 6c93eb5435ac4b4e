/** 5,000 sessions and 500 tunnels in use, through 400 changes of the configuration and 20 that are refused. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SCALE_ENGINES } from '../support/engines.ts';
import { ChangeStorm } from '../support/rigs/change-storm.ts';

const MIB = 1024 ** 2;
/** Growth in the second half: in the first, V8's heap grows to the size that a series of changes needs. */
const MAX_GROWTH_BYTES = 32 * MIB;

for (const engine of SCALE_ENGINES) {
  describe(`5,000 sessions of ${engine} and 500 tunnels`, { timeout: 800_000 }, () => {
    let storm: ChangeStorm;
    before(async () => {
      storm = await ChangeStorm.prepare({
        engine,
        sessions: 5000,
        tunnels: 500,
        reloads: 400,
        badReloads: 20,
        periodMs: 2000,
        seed: 7,
      });
    });
    after(() => storm.end());

    it('notice nothing of 400 changes of other objects and 20 bad ones, and nothing is left of those', async (t) => {
      const { answers, seconds, memory, descriptors, slowestReloadMs } = await storm.run();
      const [first, last] = memory;
      t.diagnostic(
        `${answers} messages answered in ${seconds.toFixed(0)} s; the slowest reload took ${slowestReloadMs.toFixed(0)} ms; ` +
          `memory ${(first / MIB).toFixed(1)} MiB after half of the changes, ${(last / MIB).toFixed(1)} MiB after all; ` +
          `descriptors ${descriptors.join(' and ')}`,
      );
      assert.ok(last - first < MAX_GROWTH_BYTES, `${last - first} bytes more`);
    });
  });
}
