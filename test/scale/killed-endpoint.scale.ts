/** 500 clients a second, and one of three endpoints is killed with SIGKILL. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SCALE_ENGINES } from '../support/engines.ts';
import { MortalEndpoint, killOne } from '../support/rigs/killed-endpoint.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

const RATE = 500;
const ROUNDS = 3;

for (const engine of SCALE_ENGINES) {
  describe(`under ${RATE} clients a second of ${engine} one of three endpoints is killed`, () => {
    for (let round = 1; round <= ROUNDS; round++) {
      it(`and no client that comes after it fails (round ${round})`, async (test) => {
        const endpoints = await Promise.all([1, 2, 3].map(() => MortalEndpoint.start()));
        const rig = await WebRig.start({
          listeners: { web: { engine } },
          clusters: { app: { endpoints: endpoints.map(({ address }) => address) } },
          workers: { l7: 2 },
          log: { access: false },
        });
        try {
          const aftermath = await killOne(rig, endpoints, RATE, 5000);
          test.diagnostic(JSON.stringify(aftermath));
          assert.deepEqual([aftermath.failedBefore, aftermath.failedLater], [0, 0]);
        } finally {
          for (const endpoint of endpoints) await endpoint.kill();
          await rig.sluice.stop();
        }
      });
    }
  });
}
