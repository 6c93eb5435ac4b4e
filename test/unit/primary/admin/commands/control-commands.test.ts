import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../../../src/primary/admin/commands/admin-command.ts';
import { CommandTable, runCommand } from '../../../../../src/primary/admin/commands/command-table.ts';
import { controlCommands } from '../../../../../src/primary/admin/commands/control-commands.ts';
import type { Controls } from '../../../../../src/primary/admin/commands/controls.ts';
import { scopeKey } from '../../../../../src/protocol/to-worker.ts';

const SETTINGS = { rate: 100, deadlineMs: 300_000, jitterMs: 0 } as const;
/** The process's revocation. */
const REVOCATION = {
  principal: 'jwt:alice',
  at: '2030-01-01T00:00:00.000Z',
  until: '2030-01-02T00:00:00.000Z',
};
const DAY_MS = 86_400_000;

/** Gives commands to a process that has a listener `web`, a cluster `app` and a worker `l7-0`. */
class Rig {
  readonly calls: unknown[][] = [];
  problem: string | null = null;
  readonly #drained = new Set<string>();
  readonly #table: CommandTable;

  constructor() {
    const known = ['all', 'listener web', 'cluster app', 'endpoint app unix:/run/app'];
    const controls: Controls = {
      reload: (cause) => {
        this.calls.push(['reload', cause]);
        return Promise.resolve({ generation: 3, problem: this.problem, needsRestart: ['demo'] });
      },
      drainSettings: SETTINGS,
      has: (scope) => known.includes(scopeKey(scope)),
      drain: (scope, settings) => {
        this.calls.push(['drain', scopeKey(scope), settings]);
        this.#drained.add(scopeKey(scope));
        return { scope, total: 9, remaining: 9, seconds: 0 };
      },
      undrain: (scope) => this.#drained.delete(scopeKey(scope)),
      sendTicketKeys: (channel) => {
        this.calls.push(['bequeath', channel]);
        return Promise.resolve(this.problem);
      },
      handOver: (pid) => void this.calls.push(['handOver', pid]),
      revocations: [REVOCATION],
      releaseRevocations: () => {
        this.calls.push(['releaseRevocations']);
        return Promise.resolve();
      },
      restart: (worker) => {
        this.calls.push(['restart', worker]);
        return worker === null || worker === 'l7-0';
      },
    };
    this.#table = new CommandTable(controlCommands(controls));
  }

  async post(path: string, query = ''): Promise<CommandResult> {
    const [call] = this.#table.find(path);
    assert.ok(call !== undefined, path);
    return runCommand(call, new URLSearchParams(query));
  }
}

describe('a reload by command', () => {
  it('answers the current generation', async () => {
    const rig = new Rig();
    assert.deepEqual(await rig.post('/reload'), {
      status: 200,
      message: 'reloaded: generation 3',
      fields: { generation: 3, problem: null, needsRestart: ['demo'] },
    });
    assert.deepEqual(rig.calls, [['reload', 'command']]);
  });

  it('answers 409 with the problem if the old configuration stays', async () => {
    const rig = new Rig();
    rig.problem = 'sluice.yaml:1:1: bad';
    assert.deepEqual(await rig.post('/reload'), {
      status: 409,
      message: 'not reloaded: generation 3 stays',
      fields: { generation: 3, problem: 'sluice.yaml:1:1: bad', needsRestart: ['demo'] },
    });
  });
});

describe('a drain by command', () => {
  for (const [path, key] of [
    ['', 'all'],
    ['/listeners/web', 'listener web'],
    ['/clusters/app', 'cluster app'],
    ['/clusters/app/endpoints/unix:%2Frun%2Fapp', 'endpoint app unix:/run/app'],
  ] as const) {
    it(`of ${key} uses the configured settings, and is undone once`, async () => {
      const rig = new Rig();
      const { status, message, fields } = await rig.post(`${path}/drain`);
      assert.deepEqual([status, message], [202, 'draining 9 connections']);
      assert.deepEqual({ ...fields, scope: key }, { scope: key, total: 9, remaining: 9, seconds: 0 });
      assert.deepEqual(rig.calls, [['drain', key, SETTINGS]]);
      const undone = await rig.post(`${path}/undrain`);
      assert.deepEqual([undone.status, undone.message], [202, 'accepting new work again']);
      assert.equal((await rig.post(`${path}/undrain`)).status, 409);
    });
  }

  for (const [query, changed] of [
    ['rate=30/m', { rate: 0.5 }],
    ['rate=50', { rate: 50 }],
    ['rate=0', { rate: 0 }],
    ['rate=1000000/s&deadline=0', { rate: 1_000_000, deadlineMs: 0 }],
    ['deadline=20d&jitter=1.5s', { deadlineMs: 20 * DAY_MS, jitterMs: 1500 }],
  ] as const) {
    it(`with ${query} overrides only these settings`, async () => {
      const rig = new Rig();
      assert.equal((await rig.post('/drain', query)).status, 202);
      assert.deepEqual(rig.calls, [['drain', 'all', { ...SETTINGS, ...changed }]]);
    });
  }

  for (const [query, message] of [
    ['rate=fast', 'rate: write a number and a unit, such as 100/s, up to 1000000/s'],
    ['rate=-1', 'rate: write a number and a unit, such as 100/s, up to 1000000/s'],
    ['rate=1000001', 'rate: write a number and a unit, such as 100/s, up to 1000000/s'],
    ['deadline=5', 'deadline: write a number and a unit, such as 5m, up to 20d'],
    ['jitter=21d', 'jitter: write a number and a unit, such as 5m, up to 20d'],
  ] as const) {
    it(`with ${query} answers 400, and starts nothing`, async () => {
      const rig = new Rig();
      assert.deepEqual(await rig.post('/drain', query), { status: 400, message });
      assert.deepEqual(rig.calls, []);
    });
  }

  it('answers 404 for an unknown scope, undone or not', async () => {
    const rig = new Rig();
    for (const [path, message] of [
      ['/listeners/other', 'there is no listener other'],
      ['/clusters/other', 'there is no cluster other'],
      ['/clusters/app/endpoints/a:1', 'there is no endpoint a:1 in cluster app'],
    ] as const) {
      assert.deepEqual(await rig.post(`${path}/drain`), { status: 404, message });
      assert.deepEqual(await rig.post(`${path}/undrain`), { status: 404, message });
    }
    assert.deepEqual(rig.calls, []);
  });

  it('that never started cannot be undone: 409 with its scope', async () => {
    const rig = new Rig();
    for (const [path, what] of [
      ['', 'the process'],
      ['/listeners/web', 'listener web'],
      ['/clusters/app/endpoints/unix:%2Frun%2Fapp', 'endpoint unix:/run/app in cluster app'],
    ] as const) {
      const message = `nothing to undo: ${what} is not drained`;
      assert.deepEqual(await rig.post(`${path}/undrain`), { status: 409, message });
    }
  });
});

describe('a restart of workers by command', () => {
  it('is of one worker, or of all in turn', async () => {
    const rig = new Rig();
    assert.deepEqual(await rig.post('/workers/l7-0/restart'), {
      status: 202,
      message: 'replacing worker l7-0',
    });
    assert.deepEqual(await rig.post('/workers/restart'), {
      status: 202,
      message: 'replacing all workers, one after the other',
    });
    assert.deepEqual(rig.calls, [
      ['restart', 'l7-0'],
      ['restart', null],
    ]);
  });

  it('answers 404 for an unknown worker', async () => {
    assert.deepEqual(await new Rig().post('/workers/l7-9/restart'), {
      status: 404,
      message: 'there is no worker l7-9',
    });
  });
});

describe('a handover by command', () => {
  it('answers with the process that hands over, and changes nothing if it is only a check', async () => {
    const rig = new Rig();
    const asked = await rig.post('/handover', 'check');
    assert.deepEqual(
      [asked.status, asked.fields, rig.calls],
      [200, { pid: process.pid, revocations: [REVOCATION] }, []],
    );
    const { status, fields } = await rig.post('/handover');
    assert.deepEqual([status, fields], [202, { pid: process.pid, revocations: [REVOCATION] }]);
    assert.deepEqual(rig.calls, [['releaseRevocations'], ['handOver', null]]);
  });

  it('names the process that takes over, and refuses what is no process', async () => {
    const rig = new Rig();
    assert.equal((await rig.post('/handover', 'pid=4711')).status, 202);
    assert.deepEqual(rig.calls, [['releaseRevocations'], ['handOver', 4711]]);
    for (const pid of ['0', '-1', '1e3', '', '12345678901']) {
      const { status, message } = await rig.post('/handover', `pid=${pid}`);
      assert.deepEqual([status, message], [400, 'pid: write the number of a process']);
    }
    assert.equal(rig.calls.length, 2);
  });

  it('sends the ticket keys on request, or says why not', async () => {
    const rig = new Rig();
    const sent = await rig.post('/handover', 'check&tickets=channel');
    rig.problem = 'nobody listens';
    const unsent = await rig.post('/handover', 'check&tickets=channel');
    assert.deepEqual(
      [sent.fields, unsent.fields],
      [
        { pid: process.pid, tickets: null, revocations: [REVOCATION] },
        { pid: process.pid, tickets: 'nobody listens', revocations: [REVOCATION] },
      ],
    );
    assert.deepEqual(rig.calls, [
      ['bequeath', 'channel'],
      ['bequeath', 'channel'],
    ]);
  });
});
