/** 200,000 sessions that end in every way leave a proxy as they found it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { SCALE_ENGINES } from '../support/engines.ts';
import { descriptors, residentBytes } from '../support/processes/process-facts.ts';
import { SessionChurn } from '../support/rigs/session-churn.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

const CYCLES = 200_000;
/** Parts of the load; the first ones take the process to its working size. */
const PARTS = 10;
const MIB = 1024 ** 2;
/** From the third part to the last. */
const MAX_GROWTH_BYTES = 24 * MIB;
/** V8 lets the young generations of three threads grow for 100,000 sessions, which says nothing of leaks. */
const NODE_OPTIONS = '--max-semi-space-size=4';

for (const engine of SCALE_ENGINES) {
  describe(`200,000 sessions of ${engine}`, () => {
    let churn: SessionChurn;
    let rig: WebRig;

    before(async () => {
      churn = await SessionChurn.listen();
      rig = await WebRig.start({
        workers: { l7: 2 },
        log: { access: false },
        env: { NODE_OPTIONS },
        listeners: { web: { engine } },
        clusters: { raw: { retries: 0, endpoints: [churn.endpoint.address] } },
      });
    });
    after(async () => {
      churn.endpoint.close();
      await rig.stop();
    });

    it('that end in every way leave descriptors and memory as they were', async (t) => {
      const { pid } = rig.sluice;
      const open: number[] = [];
      const memory: number[] = [];
      for (let part = 0; part < PARTS; part++) {
        const start = performance.now();
        await churn.play(rig.address('web'), CYCLES / PARTS);
        const seconds = (performance.now() - start) / 1000;
        await rig.settled();
        open.push(descriptors(pid));
        memory.push(residentBytes(pid));
        t.diagnostic(
          `${((part + 1) * CYCLES) / PARTS} sessions: ${open.at(-1)} descriptors, ${(memory.at(-1)! / MIB).toFixed(1)} MiB, ${Math.round(CYCLES / PARTS / seconds)} a second`,
        );
      }
      assert.deepEqual(churn.endpoint.failures, []);
      // A connection of the last scrape may have been open at any of the looks, so that the lowest counts.
      await eventually(() =>
        assert.ok(descriptors(pid) <= Math.min(...open), `${descriptors(pid)} descriptors`),
      );
      const growth = memory.at(-1)! - memory[2]!;
      assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more than after the third part`);
      const metrics = await rig.settled();
      assert.equal(metrics.sum('sluice_connections_total'), CYCLES);
      assert.equal(metrics.sum('sluice_ws_sessions_total'), PARTS * SessionChurn.opened(CYCLES / PARTS));
    });
  });
}
