/** Workers that are killed 50 times under load. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Status, WorkerStatus } from '../../src/protocol/admin/status.ts';
import { eventually } from '../support/deadline.ts';
import { SCALE_ENGINES } from '../support/engines.ts';
import { EchoProcess } from '../support/processes/load.ts';
import { ReloadRig } from '../support/rigs/reload-rig.ts';
import { Conversations } from '../support/websocket/conversations.ts';
import { parseExposition } from '../unit/telemetry/exposition-parser.ts';

const FAULTS = 50;
const SESSIONS = 400;
const TUNNELS = 100;
const PERIOD_MS = 250;
const NORMAL_MS = 20_000;
/** Pause between two faults, which separates them in time. */
const PAUSE_MS = 1000;
/** As many as keep the waits short that grow with each fault of a worker. */
const WORKERS = { l7: 8, l4: 2 };

for (const engine of SCALE_ENGINES) {
  describe(`50 faults of workers under load, with ${engine}`, { timeout: 800_000 }, () => {
    let echo: EchoProcess;
    let rig: ReloadRig;
    const conversations = new Conversations(PERIOD_MS);

    before(async () => {
      echo = await EchoProcess.start();
      rig = await ReloadRig.start({
        workers: WORKERS,
        log: { access: false },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            engine,
            address: '127.0.0.1:0',
            routes: [{ match: {}, cluster: 'echo' }],
          },
          { name: 'tcp', mode: 'l4', address: '127.0.0.1:0', cluster: 'echo' },
        ],
        clusters: [{ name: 'echo', endpoints: [{ address: echo.address }] }],
      });
    });
    after(() => {
      conversations.end();
      rig.sluice.kill('SIGKILL');
      echo.stop();
    });

    async function counters(): Promise<Map<string, number>> {
      const values = new Map<string, number>();
      for (const { type, samples } of parseExposition(await rig.metrics(), 'text').values()) {
        if (type === 'gauge') continue;
        for (const { name, labels, value } of samples) values.set(`${name}${JSON.stringify(labels)}`, value);
      }
      return values;
    }

    const workerOf = ({ workers }: Status, name: string): WorkerStatus =>
      workers.find((worker) => worker.name === name)!;

    async function fault(worker: string): Promise<void> {
      const { status } = await rig.post(`/debug/workers/${worker}/fault`);
      assert.equal(status, 202);
    }

    it('end only what they carried, do not slow the others down, and take nothing from the counters', async (t) => {
      await conversations.open(`ws://${rig.sluice.address('web')}/`, SESSIONS);
      await conversations.open(`ws://${rig.sluice.address('tcp')}/`, TUNNELS);
      const times: { normal: number[]; faults: number[] } = { normal: [], faults: [] };
      conversations.onAnswer = (ms) => times.normal.push(ms);
      await new Promise((settle) => setTimeout(settle, NORMAL_MS));
      conversations.onAnswer = (ms) => times.faults.push(ms);

      const names = (await rig.status()).workers.map(({ name }) => name);
      let before = await counters();
      let lostInAll = 0;
      for (let count = 0; count < FAULTS; count++) {
        const worker = names[count % names.length]!;
        await eventually(async () => assert.equal(workerOf(await rig.status(), worker).state, 'up'), 60_000);
        const { connections, restarts } = workerOf(await rig.status(), worker);
        await fault(worker);
        await eventually(
          async () => assert.equal(workerOf(await rig.status(), worker).restarts, restarts + 1),
          60_000,
        );
        let lost: number[] = [];
        await eventually(() => {
          lost = [...lost, ...conversations.takeClosed()];
          assert.equal(lost.length, connections, `${worker} had ${connections}`);
        });
        assert.ok(lost.every((code) => code === 1006 || code === 1012));
        lostInAll += lost.length;
        const now = await counters();
        for (const [series, value] of before) {
          const later = now.get(series) ?? -1;
          assert.ok(later >= value, `${series} went from ${value} to ${later}`);
        }
        before = now;
        await conversations.open(
          `ws://${rig.sluice.address(worker.startsWith('l7') ? 'web' : 'tcp')}/`,
          lost.length,
        );
        await new Promise((settle) => setTimeout(settle, PAUSE_MS));
      }
      assert.deepEqual(conversations.takeClosed(), []);
      assert.deepEqual(await conversations.settle(), []);
      const [normal, faults] = [quantiles(times.normal), quantiles(times.faults)];
      t.diagnostic(
        `${lostInAll} connections lost by ${FAULTS} faults; normal ${describeTimes(normal)} over ${times.normal.length} messages; ` +
          `during the faults ${describeTimes(faults)} over ${times.faults.length}`,
      );
      assert.ok(faults.p99 <= 2 * normal.p99, `p99 of ${faults.p99} ms, ${normal.p99} ms without faults`);
    });
  });
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

function quantiles(times: number[]): Quantiles {
  const sorted = times.toSorted((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length / 2)]!, p99: sorted[Math.floor(sorted.length * 0.99)]! };
}

function describeTimes({ p50, p99 }: Quantiles): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
}
