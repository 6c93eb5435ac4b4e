import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandTable, runCommand } from '../../../../../src/primary/admin/commands/command-table.ts';
import { eventCommands } from '../../../../../src/primary/admin/commands/event-commands.ts';

describe('the command for events', () => {
  const asked: unknown[] = [];
  const page = { events: [], last: 7, suppressed: 0 };
  const commands = eventCommands({
    page: (after, limit) => {
      asked.push([after, limit]);
      return page;
    },
  });
  const [call] = new CommandTable(commands).find('/events');
  const ask = (query: string): ReturnType<typeof runCommand> => runCommand(call!, new URLSearchParams(query));

  it('requires the token, returns a page, and accepts a number and a limit', async () => {
    assert.deepEqual([commands[0]!.method, commands[0]!.withoutToken], ['GET', undefined]);
    assert.deepEqual(await ask(''), { status: 200, message: '0 rows of events', fields: page });
    await ask('after=1796011017921&limit=5');
    assert.deepEqual(asked, [
      [null, 200],
      [1796011017921, 5],
    ]);
  });

  it('refuses invalid parameters', async () => {
    for (const query of ['after=x', 'after=-1', 'after=', `after=${'9'.repeat(16)}`, 'limit=0', 'since=1']) {
      assert.equal((await ask(query)).status, 400, query);
    }
  });
});
