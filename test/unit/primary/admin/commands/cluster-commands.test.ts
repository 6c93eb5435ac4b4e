import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../../../src/primary/admin/commands/admin-command.ts';
import { clusterCommands } from '../../../../../src/primary/admin/commands/cluster-commands.ts';
import { CommandTable, runCommand } from '../../../../../src/primary/admin/commands/command-table.ts';
import { clusterConfig } from '../../../upstream/endpoints.ts';

/** Rebalances a cluster; returns the result and the rates that the cluster got. */
async function rebalance(
  name: string,
  query: string,
  evicting: Record<string, number>,
  clusterNames = ['app', 'api'],
): Promise<{ result: CommandResult; rates: (number | undefined)[] }> {
  const rates: (number | undefined)[] = [];
  const all = clusterNames.map((cluster) => ({ config: clusterConfig({ name: cluster }) }));
  const clusters = {
    all,
    find: (cluster: string) => all.find(({ config }) => config.name === cluster),
    rebalance: (_monitor: object, perSecond?: number) => {
      rates.push(perSecond);
      return evicting;
    },
  };
  const table = new CommandTable(clusterCommands(clusters as never));
  const result = await runCommand(table.find(`/clusters/${name}/rebalance`)[0]!, new URLSearchParams(query));
  return { result, rates };
}

describe('a rebalance by command', () => {
  it('answers how many connections end at which endpoints', async () => {
    const { result, rates } = await rebalance('app', '', { 'a:1': 3, 'b:1': 4 });
    assert.deepEqual(result, {
      status: 202,
      message: 'ending 7 connections to balance cluster app',
      fields: { cluster: 'app', evicting: { 'a:1': 3, 'b:1': 4 } },
    });
    assert.deepEqual(rates, [undefined]);
  });

  it('reports a cluster that is already balanced', async () => {
    const { result } = await rebalance('api', '', {});
    assert.deepEqual([result.status, result.message], [202, 'cluster api is already balanced']);
  });

  for (const [query, rate] of [
    ['rate=1', 1],
    ['rate=600/m', 10],
    ['rate=100000/s', 100_000],
  ] as const) {
    it(`accepts ${query}`, async () => {
      assert.deepEqual((await rebalance('app', query, {})).rates, [rate]);
    });
  }

  for (const query of ['rate=0', 'rate=100001', 'rate=', 'rate=1/d']) {
    it(`answers ${query} with 400, and ends nothing`, async () => {
      const { result, rates } = await rebalance('app', query, {});
      const message = 'rate: write a number and a unit, such as 100/s, from 1/s to 100000/s';
      assert.deepEqual([result, rates], [{ status: 400, message }, []]);
    });
  }

  it('answers 404 with the known clusters for an unknown cluster', async () => {
    const { result, rates } = await rebalance('other', '', {});
    const message = 'there is no cluster other: write one of app, api';
    assert.deepEqual([result, rates], [{ status: 404, message }, []]);
    const without = await rebalance('app', '', {}, []);
    assert.equal(without.result.message, 'there is no cluster app: the configuration has none');
  });
});
