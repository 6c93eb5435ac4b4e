import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandTable, runCommand } from '../../../../../src/primary/admin/commands/command-table.ts';
import { faultCommands } from '../../../../../src/primary/admin/commands/fault-commands.ts';

describe('the fault commands', () => {
  const harmed: unknown[] = [];
  const table = new CommandTable(
    faultCommands((worker, harm) => {
      harmed.push([worker, harm]);
      return worker === 'l7-0';
    }),
  );

  for (const [path, query, status, message, harm] of [
    ['l7-0/fault', '', 202, 'the worker l7-0 throws an exception', ['l7-0', { type: 'fault' }]],
    ['l7-9/fault', '', 404, 'there is no worker l7-9', ['l7-9', { type: 'fault' }]],
    ['l7-0/freeze', '', 202, 'the worker l7-0 freezes for 30s', ['l7-0', { type: 'freeze', forMs: 30_000 }]],
    [
      'l7-0/freeze',
      'for=2s',
      202,
      'the worker l7-0 freezes for 2s',
      ['l7-0', { type: 'freeze', forMs: 2000 }],
    ],
    ['l7-0/freeze', 'for=11m', 400, 'for: write a number and a unit, such as 5m, up to 10m', null],
    ['l7-0/freeze', 'for=x', 400, 'for: write a number and a unit, such as 5m, up to 10m', null],
  ] as const) {
    it(`answer ${path}?${query} with ${status}`, async () => {
      harmed.length = 0;
      const call = table.find(`/debug/workers/${path}`)[0]!;
      assert.equal(call.command.withoutToken, true);
      assert.deepEqual(await runCommand(call, new URLSearchParams(query)), { status, message });
      assert.deepEqual(harmed, harm === null ? [] : [harm]);
    });
  }
});
