import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventStore } from '../../../../../src/primary/admin/events/event-store.ts';
import type { EventFacts, EventKind, EventRow } from '../../../../../src/protocol/admin/events.ts';
import { repeatable } from '../../../../support/random.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

/** A store with a clock that the test turns, and events of one worker. */
class Rig {
  now = START;
  readonly store = new EventStore(() => this.now);

  hear(facts: EventFacts, worker = 'l7-0'): void {
    this.store.receive({ events: [{ at: this.now, ...facts }], suppressed: 0 }, worker);
  }

  rows(): readonly EventRow[] {
    return this.store.page(null, 1000).events;
  }

  count(fits: (row: EventRow) => boolean): number {
    return this.rows().filter(fits).length;
  }
}

function refused(changes: Partial<EventFacts> = {}): EventFacts {
  return { kind: 'handshake', reason: 'access', listener: 'web', client: '192.0.2.1', ...changes };
}

describe('the event store', () => {
  it('returns rows with their worker and times, newest last', () => {
    const rig = new Rig();
    rig.hear(refused({ status: 403, requestId: 'a' }));
    rig.now += 1000;
    rig.store.record({ kind: 'reload', reason: 'failed', detail: 'SIGHUP: unknown key' });
    const { events, last, suppressed } = rig.store.page(null, 10);
    assert.deepEqual(events, [
      {
        number: START + 1,
        at: '2026-01-01T00:00:00.000Z',
        firstAt: '2026-01-01T00:00:00.000Z',
        count: 1,
        worker: 'l7-0',
        ...refused({ status: 403, requestId: 'a' }),
      },
      {
        number: START + 2,
        at: '2026-01-01T00:00:01.000Z',
        firstAt: '2026-01-01T00:00:01.000Z',
        count: 1,
        kind: 'reload',
        reason: 'failed',
        detail: 'SIGHUP: unknown key',
      },
    ]);
    assert.deepEqual([last, suppressed], [START + 2, 0]);
  });

  it('starts a new row when the clock was set back', () => {
    const rig = new Rig();
    rig.hear(refused());
    rig.now -= 3_600_000;
    rig.hear(refused());
    assert.deepEqual(
      rig.rows().map(({ at, count }) => [at, count]),
      [
        ['2026-01-01T00:00:00.000Z', 1],
        ['2025-12-31T23:00:00.000Z', 1],
      ],
    );
  });

  it('merges equal events of a minute into one row, with the latest facts and a new number', () => {
    const rig = new Rig();
    for (const requestId of ['a', 'b', 'c']) {
      rig.hear(refused({ requestId }));
      rig.hear(refused({ path: '/other' }));
      rig.now += 25_000;
    }
    const rows = rig.rows();
    assert.deepEqual(
      rows.map(({ count, requestId, path }) => [count, requestId, path]),
      [
        [3, 'c', undefined],
        [3, undefined, '/other'],
      ],
    );
    assert.equal(rows[0]!.firstAt, '2026-01-01T00:00:00.000Z');
    assert.equal(rows[0]!.at, '2026-01-01T00:00:50.000Z');
    rig.hear(refused({ requestId: 'd' }));
    assert.deepEqual(
      rig.rows().map(({ count }) => count),
      [3, 3, 1],
    );
  });

  it('gives each cause its own row, even if everything else is equal', () => {
    const rig = new Rig();
    const ended = (code: number, detail: string): EventFacts => ({
      kind: 'session',
      reason: String(code),
      code,
      detail,
      side: 'client',
      client: '192.0.2.1',
    });
    rig.hear(ended(1006, 'Received too big message'));
    rig.hear(ended(1006, 'unknown opcode'));
    rig.hear(ended(1002, 'unknown opcode'));
    rig.hear(ended(1006, 'Received too big message'));
    assert.deepEqual(
      rig.rows().map(({ code, detail, count }) => [code, detail, count]),
      [
        [1006, 'unknown opcode', 1],
        [1002, 'unknown opcode', 1],
        [1006, 'Received too big message', 2],
      ],
    );
  });

  it('merges details that differ only in text chosen by a client', () => {
    const rig = new Rig();
    for (const text of ['1', '0a2', 'c/3'])
      rig.hear(refused({ detail: `more than one "${text}x" header, ${text}9 bytes` }));
    assert.deepEqual(
      rig.rows().map(({ detail, count }) => [detail, count]),
      [['more than one "c/3x" header, c/39 bytes', 3]],
    );
  });

  it('gives one network a quarter of the rows, even if it varies the causes', () => {
    const rig = new Rig();
    rig.hear(refused({ client: '203.0.113.1' }));
    for (let index = 0; index < 500; index++) {
      rig.hear(refused({ detail: 'x'.repeat(index) }));
    }
    assert.equal(rig.rows().length, 36);
  });

  it('pages forward from a number, and misses no change', () => {
    const rig = new Rig();
    for (let index = 0; index < 10; index++) rig.hear(refused({ path: `/${index}` }));
    const first = rig.store.page(0, 4);
    const second = rig.store.page(first.last, 4);
    const third = rig.store.page(second.last, 4);
    const paths = [first, second, third].map(({ events }) => events.map(({ path }) => path).join(' '));
    assert.deepEqual(paths, ['/0 /1 /2 /3', '/4 /5 /6 /7', '/8 /9']);
    assert.deepEqual(rig.store.page(third.last, 4).events, []);
    assert.equal(rig.store.page(third.last, 4).last, third.last);
    rig.hear(refused({ path: '/0' }));
    assert.deepEqual(
      rig.store.page(third.last, 4).events.map(({ path, count }) => [path, count]),
      [['/0', 2]],
    );
  });

  it('returns the newest rows to a first request', () => {
    const rig = new Rig();
    for (let index = 0; index < 10; index++) rig.hear(refused({ path: `/${index}` }));
    assert.deepEqual(
      rig.store.page(null, 2).events.map(({ path }) => path),
      ['/8', '/9'],
    );
  });

  it('sums the events that workers dropped', () => {
    const { store } = new Rig();
    store.receive({ events: [], suppressed: 5 }, 'l7-0');
    store.receive({ events: [], suppressed: 2 }, 'l4-0');
    assert.equal(store.page(null, 1).suppressed, 7);
  });

  it("keeps the primary's events through any flood of clients", () => {
    const rig = new Rig();
    for (const kind of ['endpoint', 'reload', 'worker', 'process'] as const) {
      rig.store.record({ kind, reason: 'failed' });
    }
    flood(rig, 5000);
    assert.equal(rig.rows().length, 144);
    assert.equal(
      rig.count(({ reason }) => reason === 'failed'),
      4,
    );
  });

  it('gives one network of clients a quarter of the rows, even if it varies its requests', () => {
    const rig = new Rig();
    for (let index = 0; index < 30; index++) rig.hear(refused({ client: `203.0.113.${index}` }));
    for (let index = 0; index < 5000; index++) {
      const client = `2001:db8:0:1::${(index % 60_000).toString(16)}`;
      rig.hear(refused({ client, path: `/${index}`, reason: `reason ${index % 7}` }));
    }
    assert.equal(
      rig.count(({ client }) => client!.startsWith('2001:db8:')),
      35,
    );
    assert.equal(
      rig.count(({ client }) => client!.startsWith('203.')),
      30,
    );
  });

  it('keeps rows of rare reasons while many networks cause one reason', () => {
    const rig = new Rig();
    rig.hear(refused({ reason: 'dial_failed', cluster: 'app' }));
    rig.hear({ kind: 'tunnel', reason: 'reset', client: '192.0.2.9' });
    flood(rig, 5000);
    assert.equal(
      rig.count(({ reason }) => reason === 'dial_failed'),
      1,
    );
    assert.equal(
      rig.count(({ kind }) => kind === 'tunnel'),
      1,
    );
  });

  it('keeps the reload that failed while endpoints change all the time', () => {
    const rig = new Rig();
    rig.store.record({ kind: 'reload', reason: 'failed' });
    for (let index = 0; index < 1000; index++) {
      rig.store.record({ kind: 'endpoint', reason: 'down', endpoint: `192.0.2.${index}:80` });
    }
    assert.equal(rig.rows().length, 60);
    assert.equal(
      rig.count(({ kind }) => kind === 'reload'),
      1,
    );
  });

  it('cuts long texts', () => {
    const rig = new Rig();
    const long = '\u{1f600}'.repeat(5000);
    rig.hear({ kind: 'request', reason: 'bad_header', path: long, host: long, detail: long });
    const [row] = rig.rows();
    assert.deepEqual([row!.path!.length, row!.host!.length, row!.detail!.length], [256, 256, 512]);
    assert.ok(row!.path!.isWellFormed());
  });

  it(
    'stays within its limits and in order for any events',
    repeatable((random) => {
      const kinds: readonly EventKind[] = ['request', 'session', 'connection', 'endpoint', 'process'];
      const rig = new Rig();
      const any = (max: number): number => Math.floor(random() * max);
      for (let index = 0; index < 20_000; index++) {
        if (index % 50 === 0) rig.now += any(40_000);
        rig.hear({
          kind: kinds[any(5)]!,
          reason: `r${any(20)}`,
          client: `192.0.${any(30)}.1`,
          path: `/${any(9)}`,
        });
        if (index % 500 !== 0) continue;
        const numbers = rig.rows().map(({ number }) => number);
        assert.ok(numbers.length <= 200);
        assert.deepEqual(
          numbers,
          [...new Set(numbers)].sort((one, other) => one - other),
        );
      }
    }),
  );
});

/** Causes one reason from as many networks as there are events. */
function flood(rig: Rig, events: number): void {
  for (let index = 0; index < events; index++) {
    rig.hear(refused({ client: `10.${index >> 8}.${index & 255}.1`, path: `/${index}` }));
  }
}
