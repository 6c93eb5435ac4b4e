/** docs/reference/admin-api.md has every page and every command. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { AdminRefusals } from '../../../src/primary/admin/admin-refusals.ts';
import { AdminRouter } from '../../../src/primary/admin/admin-router.ts';
import { AdminStats } from '../../../src/primary/admin/admin-stats.ts';
import { clusterCommands } from '../../../src/primary/admin/commands/cluster-commands.ts';
import { controlCommands } from '../../../src/primary/admin/commands/control-commands.ts';
import { eventCommands } from '../../../src/primary/admin/commands/event-commands.ts';
import { principalCommands } from '../../../src/primary/admin/commands/principal-commands.ts';
import { sessionCommands } from '../../../src/primary/admin/commands/session-commands.ts';
import { LiveFeed } from '../../../src/primary/admin/live/live-feed.ts';
import { tapCommand } from '../../../src/primary/admin/tap/tap-command.ts';
import { VIEW } from '../primary/admin/admin-rig.ts';
import { capture } from '../primary/fixtures/config.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/reference/admin-api.md'), 'utf8');
const BUILD = readFileSync(join(ROOT, 'src/primary/build-admin.ts'), 'utf8');
/** Commands are only made here, never run. */
const UNUSED = null as never;

/** Asks the router for a path that does not exist: it lists all others. */
async function routes(): Promise<{
  readonly pages: readonly string[];
  readonly commands: readonly string[];
}> {
  const commands = [
    ...controlCommands(UNUSED),
    ...clusterCommands(UNUSED),
    ...sessionCommands(UNUSED),
    ...principalCommands(UNUSED),
    ...eventCommands(UNUSED),
    tapCommand(UNUSED, UNUSED),
  ];
  const { log } = capture();
  const live = new LiveFeed({
    write: VIEW.live,
    maxReaders: 1,
    maxPerAddress: 1,
    onError: () => assert.fail(),
  });
  const router = new AdminRouter({ ...VIEW, commands }, new AdminRefusals(new AdminStats(), log), live, log);
  const { body } = await router.answer({
    method: 'GET',
    url: '/nothing',
    httpVersion: '1.1',
    headers: { host: 'localhost' },
    headersDistinct: { host: ['localhost'] },
    socket: { remoteAddress: '192.0.2.1' },
  });
  assert.equal(typeof body, 'string');
  return JSON.parse(body as string) as Awaited<ReturnType<typeof routes>>;
}

/** Returns the first cells of the table below a heading. */
function listed(heading: string): readonly string[] {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`);
  const [body = ''] = section.split('\n## ');
  return Array.from(body.matchAll(/^\| `([^`]+)` /gm), ([, cell = '']) => cell);
}

describe('docs/reference/admin-api.md', () => {
  it('lists exactly the pages', async () => {
    assert.deepEqual(listed('Pages').toSorted(), [...(await routes()).pages].toSorted());
  });

  it('lists exactly the commands', async () => {
    assert.deepEqual(listed('Commands').toSorted(), [...(await routes()).commands].toSorted());
  });

  it('is tested with all groups of commands', () => {
    const groups = Array.from(BUILD.matchAll(/^ +(?:\.\.\.)?(\w+Commands?)\(/gm), ([, name]) => name);
    assert.deepEqual(groups.toSorted(), [
      'clusterCommands',
      'controlCommands',
      'eventCommands',
      'principalCommands',
      'sessionCommands',
      'tapCommand',
    ]);
  });
});
