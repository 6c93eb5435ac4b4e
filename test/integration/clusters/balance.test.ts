import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpEndpoint, ask } from '../../support/http/http-endpoint.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { assertEvenSpread } from '../../support/rigs/cluster-balance.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

describe('four workers', { timeout: 300_000 }, () => {
  for (const balancer of ['round_robin', 'least_connections'] as const) {
    it(`balance 3,000 connections like one, within 3% of the weights: ${balancer}`, async (test) => {
      const got = await assertEvenSpread({ balancer, mode: 'l4', connections: 3000, waves: 1 });
      test.diagnostic(`weights 1 2 3 4 5 got ${got.join(' ')}`);
    });
  }

  it('take turns like one: each connection gets the next of two equal endpoints', async () => {
    const endpoints = await Promise.all(
      ['one', 'two'].map((name) => HttpEndpoint.listen((_, response) => response.end(name))),
    );
    const rig = await WebRig.start({
      listeners: { web: {}, raw: { mode: 'l4', cluster: 'app' } },
      clusters: { app: { endpoints: endpoints.map(({ address }) => address) } },
      workers: { l7: 4, l4: 4 },
      log: { access: false },
    });
    try {
      const answers: string[] = [];
      for (let turn = 0; turn < 100; turn++) {
        const { body } = await ask(`http://${rig.address(turn % 3 === 0 ? 'raw' : 'web')}/wsapp`);
        answers.push(body.toString());
      }
      for (let turn = 0; turn < 4; turn++) {
        const { stdout } = await runCommand('curl', ['-s', `http://${rig.address('web')}/wsapp`]);
        answers.push(stdout);
      }
      const [first = '', second = ''] = answers;
      assert.deepEqual(new Set([first, second]), new Set(['one', 'two']));
      assert.deepEqual(
        answers,
        answers.map((_, turn) => (turn % 2 === 0 ? first : second)),
      );
    } finally {
      for (const endpoint of endpoints) endpoint.close();
      await rig.sluice.stop();
    }
  });
});
