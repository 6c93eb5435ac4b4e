import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { progressBar } from '../../../src/cli/commands/admin/drain.ts';
import { describeEvent } from '../../../src/cli/commands/admin/events.ts';
import { describeSessions } from '../../../src/cli/commands/admin/sessions.ts';
import { describeStatus } from '../../../src/cli/commands/admin/status.ts';
import { table } from '../../../src/cli/table.ts';
import type { Status } from '../../../src/protocol/admin/status.ts';

describe('tables', () => {
  it('are as wide as their content, with numbers right-aligned', () => {
    assert.equal(
      table(
        ['NAME', 'COUNT', 'STATE'],
        [
          ['a', 1, 'up'],
          ['long-name', 12345, 'down'],
        ],
      ),
      ['NAME       COUNT  STATE', 'a              1  up', 'long-name  12345  down', ''].join('\n'),
    );
  });

  it('are empty without rows', () => {
    assert.equal(table(['NAME'], []), '');
  });
});

describe('an event line', () => {
  const row = {
    number: 7,
    at: '2026-01-01T00:00:05.000Z',
    firstAt: '2026-01-01T00:00:00.000Z',
    count: 1,
    kind: 'handshake',
    reason: 'access',
  } as const;

  it('states when, what, how often, who and where', () => {
    const facts = {
      status: 403,
      client: '192.0.2.1',
      listener: 'web',
      route: 'chat',
      host: 'a.test',
      path: '/x',
    };
    assert.equal(
      describeEvent({ ...row, ...facts, count: 3 }),
      '2026-01-01 00:00:05  handshake access  x3  403  192.0.2.1  web/chat  a.test/x',
    );
    assert.equal(
      describeEvent({ ...row, kind: 'worker', reason: 'failed', worker: 'l7-0', detail: 'a fault\n  at x' }),
      '2026-01-01 00:00:05  worker failed  l7-0  a fault at x',
    );
  });

  it('is truncated to 120 columns by default', () => {
    const line = describeEvent({ ...row, path: `/${'x'.repeat(256)}` });
    assert.equal(line.length, 120);
    assert.ok(line.endsWith('x…'));
  });

  it('is not truncated without a terminal, so that a search finds its last words', () => {
    const line = describeEvent({ ...row, path: `/${'x'.repeat(256)}`, detail: 'the cause' }, Infinity);
    assert.ok(line.endsWith('xxx  the cause'));
  });
});

const status: Status = {
  version: '1.2.3',
  node: '22.18.0',
  pid: 42,
  uptimeSeconds: 120,
  generation: 7,
  lastReloadSucceeded: true,
  lastReloadSuccessAt: '2026-01-01T00:00:00.000Z',
  state: 'ready',
  connections: 3,
  needsRestart: ['admin.address'],
  drains: [
    { scope: { kind: 'all' }, total: 9, remaining: 2, seconds: 1 },
    { scope: { kind: 'endpoint', cluster: 'app', name: '192.0.2.1:80' }, total: 9, remaining: 1, seconds: 1 },
  ],
  workers: [
    {
      name: 'l7-0',
      kind: 'l7',
      state: 'up',
      restarts: 1,
      generation: 7,
      connections: 3,
      olderConnections: 2,
      eventLoopUtilization: 0.256,
    },
  ],
  leftBehind: 0,
  taps: 2,
  logs: [
    { log: 'log', file: null, dropped: 0, problem: null },
    { log: 'access', file: '/var/log/access', dropped: 2, problem: 'ENOSPC' },
  ],
  listeners: [
    {
      name: 'web',
      mode: 'l7',
      address: '127.0.0.1:443',
      tls: true,
      engine: 'uws',
      engineReason: 'tls',
      activeConnections: 5,
    },
  ],
  clusters: [
    {
      name: 'app',
      balancer: 'round_robin',
      panic: false,
      activeConnections: 3,
      maxConnections: 0,
      evictions: 0,
      endpoints: [
        {
          address: '192.0.2.1:80',
          weight: 1,
          priority: 0,
          state: 'ejected',
          since: '2026-01-01T00:00:00.000Z',
          reason: '2 connect failures in a row; ejected for 30s',
          activeConnections: 3,
          connectFailures: 8,
          ejections: 1,
          lastProbe: null,
        },
      ],
    },
  ],
};

describe('the status text', () => {
  it('lists problems, taps, drains, workers, listeners and clusters', () => {
    assert.equal(
      describeStatus(status),
      [
        'sluice 1.2.3, process 42, up 2m: not ready (draining), generation 7, 3 sessions and tunnels',
        'admin.address has changed: restart to bring it into force',
        'the access log cannot be written to /var/log/access: ENOSPC',
        'taps that run: 2',
        'draining all: 2 of 9 left',
        'draining endpoint app 192.0.2.1:80: 1 of 9 left',
        '',
        'WORKER  STATE  GENERATION  CONNS  OLDER  BUSY  RESTARTS',
        'l7-0    up              7      3      2  26%          1',
        '',
        'LISTENER  STATE  MODE    ADDRESS        ENGINE     CONNS',
        'web       up     l7 tls  127.0.0.1:443  uws (tls)      5',
        '',
        'CLUSTER  ENDPOINT      STATE    CONNS  FAILURES',
        'app      192.0.2.1:80  ejected      3         8',
        '',
      ].join('\n'),
    );
  });

  it('marks drained listeners and the endpoints of drained clusters', () => {
    const counts = { total: 9, remaining: 1, seconds: 1 };
    const drainsOf = (listener: string, cluster: string): string =>
      describeStatus({
        ...status,
        drains: [
          { scope: { kind: 'listener', name: listener }, ...counts },
          { scope: { kind: 'cluster', name: cluster }, ...counts },
        ],
      });
    const drained = drainsOf('web', 'app');
    assert.match(drained, /^sluice .*: ready, /);
    assert.match(drained, /^web +drained +l7 tls /m);
    assert.match(drained, /^app +192\.0\.2\.1:80 +drained /m);
    const other = drainsOf('app', 'web');
    assert.match(other, /^web +up +l7 tls /m);
    assert.match(other, /^app +192\.0\.2\.1:80 +ejected /m);
  });
});

describe('the progress bar of a drain', () => {
  for (const [total, remaining, filled, percent] of [
    [0, 0, 40, '100'],
    [5000, 5000, 0, '  0'],
    [5000, 2500, 20, ' 50'],
    [3, 1, 26, ' 66'],
    [5000, 1, 39, ' 99'],
    [5000, 0, 40, '100'],
  ] as const) {
    it(`shows ${percent.trim()}% if ${remaining} of ${total} are left`, () => {
      const bar = '#'.repeat(filled) + '.'.repeat(40 - filled);
      assert.equal(
        progressBar({ total, remaining, seconds: 1.5 }),
        `[${bar}] ${percent}%  ${remaining} of ${total} left  1.5 s`,
      );
    });
  }
});

describe('the sessions table', () => {
  const now = Date.UTC(2030, 0, 1);
  const session = {
    id: 'a0b1c2d3e4-123456',
    principal: 'jwt:auth0|5f7c8ec7c33c6c004bbafe82',
    client: '2001:db8:1234:5678:9abc:def0:1234:5678',
    listener: 'web',
    cluster: 'a-long-cluster-name',
    endpoint: '127.0.0.1:9000',
    openedAt: new Date(now - 90 * 60_000).toISOString(),
    endsAt: new Date(now + 59_999).toISOString(),
  };

  const answer = { status: 200, message: '', total: 1, sessions: [session], next: null };

  it('fits in 80 columns with full ids', () => {
    const lines = describeSessions(answer, now, 80).trimEnd().split('\n');
    assert.equal(Math.max(...lines.map(({ length }) => length)), 80);
    assert.match(
      lines[1] ?? '',
      /^a0b1c2d3e4-123456 {2}jwt:auth0\|5f7c… {2}2001:db8:1234:… {2}a-long-cluster-… {2}1h {3}59s$/u,
    );
  });

  it('shows full names in a wide terminal and in a pipe', () => {
    for (const width of [132, Infinity]) {
      const row = describeSessions(answer, now, width).split('\n')[1] ?? '';
      for (const name of [session.principal, session.client, session.cluster]) {
        assert.ok(row.includes(name), row);
      }
    }
  });

  it('stays readable in a terminal that is too narrow for the table', () => {
    assert.match(
      describeSessions(answer, now, 10),
      /^a0b1c2d3e4-123456 {2}jwt:aut… {3}2001:db… {2}a-long-… {2}1h/mu,
    );
  });

  it('says if there are more sessions or none, and which workers did not answer', () => {
    const many = { ...answer, sessions: [{ ...session, endsAt: null }], total: 9 };
    assert.match(describeSessions(many, now, 80), / -\n1 of 9 sessions: see --limit\n$/);
    assert.equal(
      describeSessions({ ...answer, sessions: [], total: 0, incomplete: ['l7-1'] }, now, 80),
      'no sessions\nno answer from l7-1: their sessions are missing\n',
    );
  });
});
