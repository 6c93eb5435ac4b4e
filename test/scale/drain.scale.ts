/** A drain of 5,000 sessions at 500 a second. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { SCALE_ENGINES } from '../support/engines.ts';
import { EchoProcess } from '../support/processes/load.ts';
import { ReloadRig } from '../support/rigs/reload-rig.ts';
import { Conversations } from '../support/websocket/conversations.ts';

const SESSIONS = 5000;
const RATE = 500;
const EXPECTED_SECONDS = SESSIONS / RATE;
const TOLERANCE = 0.15;

for (const engine of SCALE_ENGINES) {
  describe(`a drain of 5,000 sessions of ${engine} at 500 a second`, { timeout: 300_000 }, () => {
    let echo: EchoProcess;
    let rig: ReloadRig;
    const conversations = new Conversations(5000);

    before(async () => {
      echo = await EchoProcess.start();
      rig = await ReloadRig.start({
        workers: { l7: 2, l4: 1 },
        log: { access: false },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            engine,
            address: '127.0.0.1:0',
            routes: [{ match: {}, cluster: 'echo' }],
          },
        ],
        clusters: [{ name: 'echo', endpoints: [{ address: echo.address }] }],
      });
    });
    after(() => {
      conversations.end();
      rig.sluice.kill('SIGKILL');
      echo.stop();
    });

    it('takes 10 seconds, and every client sees 1012', async (t) => {
      await conversations.open(`ws://${rig.sluice.address('web')}/`, SESSIONS);
      const all = [...conversations.all];
      const startedAt = performance.now();
      const { status, body } = await rig.post(`/drain?rate=${RATE}&deadline=2m`);
      assert.equal(status, 202);
      assert.equal((JSON.parse(body) as { total: number }).total, SESSIONS);
      await eventually(() => {
        const open = all.filter(({ closed }) => closed === null).length;
        assert.equal(open, 0);
      }, 120_000);
      const last = Math.max(...all.map(({ closed }) => closed!.at));
      const seconds = (last - startedAt) / 1000;
      const perSecond = new Array<number>(Math.ceil(seconds)).fill(0);
      for (const { closed } of all) perSecond[Math.floor((closed!.at - startedAt) / 1000)]! += 1;
      t.diagnostic(
        `the last was closed after ${seconds.toFixed(2)} s; in each second: ${perSecond.join(', ')}`,
      );
      const codes = new Map<number, number>();
      for (const { closed } of all) codes.set(closed!.code, (codes.get(closed!.code) ?? 0) + 1);
      assert.deepEqual([...codes], [[1012, SESSIONS]]);
      assert.ok(
        Math.abs(seconds - EXPECTED_SECONDS) <= EXPECTED_SECONDS * TOLERANCE,
        `${seconds} s in place of ${EXPECTED_SECONDS} s`,
      );
      await eventually(async () => assert.equal((await rig.status()).drains[0]!.remaining, 0));
    });
  });
}
