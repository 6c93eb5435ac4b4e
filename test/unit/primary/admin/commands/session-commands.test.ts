import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../../../src/primary/admin/commands/admin-command.ts';
import {
  CommandTable,
  methodOf,
  runCommand,
} from '../../../../../src/primary/admin/commands/command-table.ts';
import { sessionCommands } from '../../../../../src/primary/admin/commands/session-commands.ts';

const ID = 'a0b1c2d3e4-7';
const ENDS_AT = Date.UTC(2030, 0, 1);

/** Gives commands to workers that have one session, which ends in 2030. */
class Rig {
  readonly calls: unknown[][] = [];
  incomplete: readonly string[] = [];
  closed = 1;
  endsAt: number | null = ENDS_AT;
  readonly #table = new CommandTable(
    sessionCommands({
      list: (...args) => {
        this.calls.push(['list', ...args]);
        return Promise.resolve({ total: 0, sessions: [], next: null, incomplete: this.incomplete });
      },
      close: (...args) => {
        this.calls.push(['close', ...args]);
        return Promise.resolve({ closed: this.closed, incomplete: this.incomplete });
      },
      closeAll: (...args) => {
        this.calls.push(['closeAll', ...args]);
        return Promise.resolve({ closed: this.closed, incomplete: this.incomplete });
      },
      extend: (...args) => {
        this.calls.push(['extend', ...args]);
        return Promise.resolve({ found: this.closed > 0, at: this.endsAt, incomplete: this.incomplete });
      },
    }),
  );

  send(request: string): Promise<CommandResult> {
    const [method = '', target = ''] = request.split(' ');
    const [path = '', query = ''] = target.split('?');
    const call = this.#table.find(path).find(({ command }) => methodOf(command) === method);
    assert.ok(call !== undefined, request);
    return runCommand(call, new URLSearchParams(query));
  }
}

describe('the list of sessions by command', () => {
  for (const [query, filter, after, limit] of [
    ['', {}, null, 100],
    ['?limit=1', {}, null, 1],
    [`?limit=1000&after=${ID}`, {}, ID, 1000],
    ['?principal=jwt:alice&cluster=app', { principal: 'jwt:alice', cluster: 'app' }, null, 100],
    ['?listener=web&endpoint=10.0.0.1:9000', { listener: 'web', endpoint: '10.0.0.1:9000' }, null, 100],
    ['?client=2001:DB8:0:0:0:0:0:1', { client: '2001:db8::1' }, null, 100],
    ['?client=::ffff:192.0.2.1', { client: '192.0.2.1' }, null, 100],
  ] as const) {
    it(`accepts ${query === '' ? 'no parameter' : query}`, async () => {
      const rig = new Rig();
      assert.deepEqual(await rig.send(`GET /sessions${query}`), {
        status: 200,
        message: '0 of 0 sessions',
        fields: { total: 0, sessions: [], next: null },
      });
      assert.deepEqual(rig.calls, [['list', filter, after, limit]]);
    });
  }

  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'after=x',
    'after=',
    'client=x',
    'principal=',
    'listener=',
    'endpoint=',
    'name=x',
  ]) {
    it(`refuses ${query}, and asks no worker`, async () => {
      const rig = new Rig();
      const { status, message } = await rig.send(`GET /sessions?${query}`);
      assert.deepEqual([status, rig.calls], [400, []]);
      assert.match(message, new RegExp(`^${query.split('=')[0]}: `));
    });
  }

  it('names the workers that have not answered', async () => {
    const rig = new Rig();
    rig.incomplete = ['l7-1'];
    const { message, fields } = await rig.send('GET /sessions');
    assert.equal(message, '0 of 0 sessions; no answer from l7-1');
    assert.deepEqual((fields as { incomplete: unknown }).incomplete, ['l7-1']);
  });
});

describe('the close of a session by command', () => {
  it('has its own code and reason', async () => {
    const rig = new Rig();
    assert.deepEqual(await rig.send(`DELETE /sessions/${ID}`), {
      status: 200,
      message: `session ${ID} closed`,
      fields: { closed: 1 },
    });
    await rig.send(`DELETE /sessions/${ID}?code=4999&reason=see+you`);
    assert.deepEqual(rig.calls, [
      ['close', ID, 1008, 'closed by the operator'],
      ['close', ID, 4999, 'see you'],
    ]);
  });

  for (const code of ['1000', '1001', '1008', '1011', '1012', '1013', '3000', '4999']) {
    it(`accepts the code ${code}`, async () => {
      assert.equal((await new Rig().send(`DELETE /sessions/${ID}?code=${code}`)).status, 200);
    });
  }
  for (const query of [
    ...['999', '1002', '1005', '1006', '1010', '1014', '2999', '5000', '', '1e3', '0x3e8'].map(
      (code) => `code=${code}`,
    ),
    `reason=${'x'.repeat(124)}`,
    `reason=${'%C3%A9'.repeat(62)}`,
    'code=1000&code=1001',
  ]) {
    it(`refuses ${query.slice(0, 40)}`, async () => {
      const rig = new Rig();
      const { status } = await rig.send(`DELETE /sessions/${ID}?${query}`);
      assert.deepEqual([status, rig.calls], [400, []]);
    });
  }

  it('answers 404 without the session, and 503 if a silent worker may have it', async () => {
    const rig = new Rig();
    rig.closed = 0;
    assert.equal((await rig.send(`DELETE /sessions/${ID}`)).status, 404);
    rig.incomplete = ['l7-0'];
    const { status, message } = await rig.send(`DELETE /sessions/${ID}`);
    assert.deepEqual([status, message], [503, `session ${ID} not found; no answer from l7-0: ask again`]);
  });

  it('answers 404 to an invalid id, and asks no worker', async () => {
    const rig = new Rig();
    for (const id of ['x', '-1', 'A-1', 'a-', 'a-1%00']) {
      assert.equal((await rig.send(`DELETE /sessions/${id}`)).status, 404, id);
    }
    assert.deepEqual(rig.calls, []);
  });
});

describe('the close of many sessions by command', () => {
  it('requires a filter', async () => {
    const rig = new Rig();
    for (const query of ['', '?code=1000', '?princpal=alice']) {
      assert.equal((await rig.send(`DELETE /sessions${query}`)).status, 400, query);
    }
    assert.deepEqual(rig.calls, []);
  });

  it('uses the singular for one session', async () => {
    const rig = new Rig();
    rig.closed = 1;
    const { message } = await rig.send('DELETE /sessions?principal=alice');
    assert.equal(message, '1 session closed');
  });

  it('answers and logs the number', async () => {
    const rig = new Rig();
    rig.closed = 3;
    assert.deepEqual(await rig.send('DELETE /sessions?principal=alice&reason=x'), {
      status: 200,
      message: '3 sessions closed',
      fields: { closed: 3 },
      logged: { principal: 'alice', closed: 3 },
    });
    assert.deepEqual(rig.calls, [['closeAll', { principal: 'alice' }, 1008, 'x']]);
  });
});

describe('an extension by command', () => {
  it('answers when the session ends', async () => {
    const rig = new Rig();
    assert.deepEqual(await rig.send(`POST /sessions/${ID}/extend?by=10m`), {
      status: 200,
      message: `session ${ID} extended by 10m: it ends at 2030-01-01T00:00:00.000Z`,
      fields: { endsAt: '2030-01-01T00:00:00.000Z' },
    });
    assert.deepEqual(rig.calls, [['extend', ID, 600_000]]);
  });

  for (const query of ['', '?by=', '?by=0', '?by=-1m', '?by=10', '?by=21d', '?for=1m']) {
    it(`refuses ${query === '' ? 'no time' : query}`, async () => {
      const rig = new Rig();
      assert.equal((await rig.send(`POST /sessions/${ID}/extend${query}`)).status, 400);
      assert.deepEqual(rig.calls, []);
    });
  }

  it('answers 409 if the session has no end, and 404 if it is unknown', async () => {
    const rig = new Rig();
    rig.endsAt = null;
    const { status, message } = await rig.send(`POST /sessions/${ID}/extend?by=1m`);
    assert.equal(status, 409);
    assert.match(message, /cannot be extended: its credential does not expire/);
    rig.closed = 0;
    assert.equal((await rig.send(`POST /sessions/${ID}/extend?by=1m`)).status, 404);
  });

  it('answers the last date for a token that expires after it', async () => {
    const rig = new Rig();
    rig.endsAt = 1e300;
    const { fields } = await rig.send(`POST /sessions/${ID}/extend?by=1m`);
    assert.deepEqual(fields, { endsAt: '+275760-09-13T00:00:00.000Z' });
  });
});
