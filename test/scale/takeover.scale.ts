/** A takeover while 200 clients a second connect. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SCALE_ENGINES } from '../support/engines.ts';
import { EchoProcess } from '../support/processes/load.ts';
import { startSluice, type SluiceProcess } from '../support/processes/sluice-process.ts';
import { withAdmin } from '../support/rigs/reload-rig.ts';
import { Knocker } from '../support/sockets/knocker.ts';
import { Conversations } from '../support/websocket/conversations.ts';

const SESSIONS = 500;
const CONNECTS_PER_SECOND = 200;
const TOKEN = 'a-token-for-tests-only';

for (const engine of SCALE_ENGINES) {
  describe(`a takeover of ${engine} under 200 connects a second`, { timeout: 300_000 }, () => {
    let echo: EchoProcess;
    const started: SluiceProcess[] = [];
    const conversations = new Conversations(1000);

    before(async () => {
      echo = await EchoProcess.start();
    });
    after(() => {
      conversations.end();
      for (const sluice of started) sluice.kill('SIGKILL');
      echo.stop();
    });

    const config = (web = '127.0.0.1:0', tcp = '127.0.0.1:0', admin = '127.0.0.1:0'): object => ({
      ...withAdmin({
        workers: { l7: 2, l4: 1 },
        log: { access: false },
        drain: { rate: '100/s', deadline: '30s' },
        listeners: [
          { name: 'web', mode: 'l7', engine, address: web, routes: [{ match: {}, cluster: 'echo' }] },
          { name: 'tcp', mode: 'l4', address: tcp, cluster: 'echo' },
        ],
        clusters: [{ name: 'echo', endpoints: [{ address: echo.address }] }],
      }),
      admin: { address: admin, token: TOKEN },
    });

    it('refuses and resets no connection, three times in a row, and cuts no session before its drain', async (t) => {
      let current = await startSluice({ config: config() });
      started.push(current);
      const [web, tcp, admin] = [current.address('web'), current.address('tcp'), current.admin];
      for (let round = 1; round <= 3; round++) {
        const sessions = await conversations.open(`ws://${web}/`, SESSIONS);
        const knockers = [web, tcp].map((address) =>
          Knocker.start(`ws://${address}/`, CONNECTS_PER_SECOND / 2),
        );
        const successor = await startSluice({ config: config(web, tcp, admin), args: ['--takeover'] });
        started.push(successor);
        const early = sessions.filter(({ closed }) => closed !== null).length;
        const drainAt = performance.now();
        assert.deepEqual(await current.waitForExit(120_000), { code: 0, signal: null });
        // Behind the last of the old process, some more of the new one alone.
        await new Promise((settle) => setTimeout(settle, 1000));
        const knocks = await Promise.all(knockers.map((knocker) => knocker.stop()));
        const codes = new Set(sessions.map(({ closed }) => closed?.code));
        t.diagnostic(
          `round ${round}: ${knocks.map(({ opened }) => opened).join(' and ')} connects, ` +
            `the slowest in ${Math.max(...knocks.map(({ slowest }) => slowest)).toFixed(0)} ms; ` +
            `${early} of ${SESSIONS} sessions closed before the successor was ready, the last after another ` +
            `${((Math.max(...sessions.map(({ closed }) => closed!.at)) - drainAt) / 1000).toFixed(1)} s`,
        );
        assert.deepEqual(
          knocks.flatMap(({ failures }) => failures),
          [],
        );
        assert.deepEqual([...codes], [1012]);
        assert.deepEqual(
          sessions.flatMap(({ failures }) => failures),
          [],
        );
        // Nobody has had to try again, which takes a second.
        assert.ok(Math.max(...knocks.map(({ slowest }) => slowest)) < 900);
        // At the pace of the drain there cannot have been more.
        assert.ok(early < SESSIONS / 2, `${early} were closed early`);
        conversations.takeClosed();
        current = successor;
      }
    });
  });
}
