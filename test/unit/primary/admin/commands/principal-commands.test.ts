import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../../../src/primary/admin/commands/admin-command.ts';
import {
  CommandTable,
  methodOf,
  runCommand,
} from '../../../../../src/primary/admin/commands/command-table.ts';
import { principalCommands } from '../../../../../src/primary/admin/commands/principal-commands.ts';
import type { Revocation } from '../../../../../src/protocol/access.ts';

const AT = Date.UTC(2030, 0, 1);
const UNTIL = Date.UTC(2030, 0, 2);

class Rig {
  readonly calls: string[] = [];
  incomplete: readonly string[] = [];
  all: Revocation[] = [];
  readonly #table: CommandTable;

  constructor() {
    const listed = (): Revocation[] => this.all;
    this.#table = new CommandTable(
      principalCommands({
        get all() {
          return listed();
        },
        revoke: (principal) => {
          this.calls.push(`revoke ${principal}`);
          const revocation = { principal, at: AT, until: UNTIL };
          return Promise.resolve({ revocation, closed: 2, incomplete: this.incomplete });
        },
        undo: (principal) => {
          this.calls.push(`undo ${principal}`);
          return Promise.resolve(principal === 'jwt:alice');
        },
      }),
    );
  }

  send(method: string, path: string, query = ''): Promise<CommandResult> {
    const call = this.#table.find(path).find(({ command }) => methodOf(command) === method);
    assert.ok(call !== undefined, path);
    return runCommand(call, new URLSearchParams(query));
  }
}

describe('a revocation by command', () => {
  it('answers when it expires, and how many sessions it has closed', async () => {
    const rig = new Rig();
    assert.deepEqual(await rig.send('POST', '/principals/jwt:auth0%7Calice%2F1/revoke'), {
      status: 200,
      message: 'jwt:auth0|alice/1 revoked until 2030-01-02T00:00:00.000Z, 2 sessions closed',
      fields: {
        principal: 'jwt:auth0|alice/1',
        at: '2030-01-01T00:00:00.000Z',
        until: '2030-01-02T00:00:00.000Z',
        closed: 2,
      },
      logged: { closed: 2 },
    });
    assert.deepEqual(rig.calls, ['revoke jwt:auth0|alice/1']);
  });

  it('names the workers that have not answered', async () => {
    const rig = new Rig();
    rig.incomplete = ['l7-1'];
    const { message } = await rig.send('POST', '/principals/alice/revoke');
    assert.match(message, /2 sessions closed; no answer from l7-1$/);
  });

  it('is refused for an oversized name, and with a parameter', async () => {
    const rig = new Rig();
    assert.equal((await rig.send('POST', `/principals/${'x'.repeat(1025)}/revoke`)).status, 400);
    const { status, message } = await rig.send('POST', '/principals/alice/revoke', 'keep=1h');
    assert.deepEqual([status, message], [400, 'keep: unknown parameter: write none']);
    assert.deepEqual(rig.calls, []);
  });

  it('is undone once', async () => {
    const rig = new Rig();
    assert.equal((await rig.send('DELETE', '/principals/jwt:alice/revoke')).status, 200);
    assert.equal((await rig.send('DELETE', '/principals/jwt:bob/revoke')).status, 404);
  });
});

describe('the list of revocations by command', () => {
  it('is in pages, sorted by principal', async () => {
    const rig = new Rig();
    rig.all = ['c', 'a', 'b'].map((principal) => ({ principal, at: AT, until: UNTIL }));
    const page = async (query: string): Promise<readonly [string[], string | null]> => {
      const { fields } = await rig.send('GET', '/principals', query);
      const { revocations, next } = fields as { revocations: Revocation[]; next: string | null };
      return [revocations.map(({ principal }) => principal), next];
    };
    assert.deepEqual(await page('limit=2'), [['a', 'b'], 'b']);
    assert.deepEqual(await page('limit=2&after=b'), [['c'], null]);
    assert.deepEqual(await page(''), [['a', 'b', 'c'], null]);
    assert.equal((await rig.send('GET', '/principals')).message, '3 of 3 revocations in force');
  });
});
