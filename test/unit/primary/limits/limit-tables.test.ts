import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../../../src/access/limits/limit-key.ts';
import { LimitTable } from '../../../../src/access/limits/table/limit-table.ts';
import type { LimitSettings } from '../../../../src/config/types/limits.ts';
import type { Listener } from '../../../../src/config/types/listener.ts';
import { LimitTables } from '../../../../src/primary/limits/limit-tables.ts';
import { tableName } from '../../../../src/protocol/limit-tables.ts';
import { UNLIMITED } from '../../access/limits/rig.ts';
import { l4Listener, l7Listener } from '../fixtures/config.ts';

class Rig {
  now = 0;
  #sweep: () => void = () => undefined;
  readonly tables: LimitTables;

  constructor(listeners: readonly Listener[]) {
    this.tables = new LimitTables(listeners, {
      now: () => this.now,
      repeat: (run) => {
        this.#sweep = run;
      },
    });
  }

  sweep(): void {
    this.#sweep();
  }

  reload(...limits: readonly LimitSettings[]): SharedArrayBuffer | undefined {
    this.tables.plan([web(...limits)]).commit();
    return this.memory;
  }

  get memory(): SharedArrayBuffer | undefined {
    return this.tables.memories.get(tableName('web', 'one'));
  }
}

function web(...limits: readonly LimitSettings[]): Listener {
  return { ...l7Listener, name: 'web', limits };
}

describe('tables of limits', () => {
  it('survive a reload that changes only numbers', () => {
    const rig = new Rig([web({ ...UNLIMITED, connections: 5 })]);
    const before = rig.memory;
    assert.ok(before !== undefined);
    assert.equal(rig.reload({ ...UNLIMITED, connections: 9, messages: { perSecond: 10, burst: 5 } }), before);
    assert.equal(rig.tables.entries[0]?.settings.connections, 9);
  });

  it('start empty with another key, size or route', () => {
    const rig = new Rig([web(UNLIMITED)]);
    const before = rig.memory;
    assert.notEqual(rig.reload({ ...UNLIMITED, key: { kind: 'host' } }), before);
    const named = rig.reload({ ...UNLIMITED, key: { kind: 'header', name: 'x-a' } });
    assert.notEqual(rig.reload({ ...UNLIMITED, key: { kind: 'header', name: 'x-b' } }), named);
    const small = rig.memory;
    assert.notEqual(rig.reload({ ...UNLIMITED, key: { kind: 'header', name: 'x-b' }, maxKeys: 4096 }), small);
    const own = rig.memory;
    const [route] = l7Listener.routes;
    rig.tables.plan([{ ...l7Listener, name: 'web', routes: [{ ...route!, limits: [UNLIMITED] }] }]).commit();
    assert.notEqual(rig.memory, own);
  });

  it('exist for listeners, routes and layer 4', () => {
    const [route] = l7Listener.routes;
    const rig = new Rig([
      {
        ...l7Listener,
        name: 'web',
        limits: [UNLIMITED],
        routes: [{ ...route!, limits: [{ ...UNLIMITED, name: 'two' }] }],
      },
      { ...l4Listener, name: 'tcp', limits: [UNLIMITED] },
    ]);
    assert.deepEqual(
      [...rig.tables.memories.keys()],
      [tableName('web', 'one'), tableName('web', 'two'), tableName('tcp', 'one')],
    );
  });

  it('change only with the commit of a plan', () => {
    const rig = new Rig([web(UNLIMITED)]);
    const plan = rig.tables.plan([web()]);
    assert.equal(plan.memories.size, 0);
    assert.equal(rig.tables.memories.size, 1);
    plan.commit();
    assert.equal(rig.tables.memories.size, 0);
  });

  it('are swept within a minute', () => {
    const rig = new Rig([web(UNLIMITED)]);
    const table = new LimitTable(rig.memory!, () => 0);
    table.unpin(table.pin(digestOf('a')));
    const [{ sweep }] = rig.tables.entries as [LimitTables['entries'][number]];
    assert.equal(sweep.layout.keys, 1);
    for (let second = 0; second < 60; second++) rig.sweep();
    assert.equal(sweep.layout.keys, 0);
  });
});
