import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ticksFor } from '../../../../src/access/limits/table/bucket.ts';
import { HoldLedger } from '../../../../src/access/limits/table/hold-ledger.ts';
import {
  allocateTable,
  RATE_KINDS,
  SLOT,
  TableLayout,
} from '../../../../src/access/limits/table/table-layout.ts';
import type { Listener } from '../../../../src/config/types/listener.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { FromWorker } from '../../../../src/protocol/from-worker.ts';
import { tableName } from '../../../../src/protocol/limit-tables.ts';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { allocatePage, StatsPage } from '../../../../src/telemetry/stats-page.ts';
import { WorkerLimits } from '../../../../src/worker/access/worker-limits.ts';
import { requestOf, UNLIMITED } from '../../access/limits/rig.ts';
import { config, l7Listener } from '../../primary/fixtures/config.ts';

const LIMIT = { ...UNLIMITED, connections: 1 };
const LISTENER: Listener = { ...l7Listener, name: 'web', limits: [LIMIT] };

function setup() {
  const layout = layoutOf({ ...config, listeners: [LISTENER] }, ['l7-0']);
  const page = new StatsPage(allocatePage(layout), layout);
  const ticks = RATE_KINDS.map((kind) => ticksFor(LIMIT[kind]));
  const memory = allocateTable(7, { ...LIMIT, ticks });
  const memories = new Map([[tableName('web', 'one'), memory]]);
  const said: Extract<FromWorker, { type: 'limit_ledger' }>[] = [];
  const limits = WorkerLimits.first(memories, page, new TimerWheel(0), (message) => {
    assert.ok(message.type === 'limit_ledger');
    said.push(message);
  });
  return { page, memory, memories, said, limits };
}

describe('the limits of a worker', () => {
  it('count refusals in the stats page', () => {
    const { page, limits } = setup();
    const set = limits.guardFor('web', [LIMIT]);
    assert.ok(set !== null);
    assert.equal(set.enter('address', requestOf('10.0.0.1'), null, set.open()), null);
    assert.equal(set.enter('address', requestOf('10.0.0.1'), null, set.open())?.kind, 'connections');
    const labels = { listener: 'web', limit: 'one', kind: 'connections' };
    assert.equal(page.values[page.slot(pageMetrics.limitRefusals, labels)], 1);
  });

  it('report a ledger to the primary before the first hold, once for all generations', () => {
    const { page, memory, memories, said, limits } = setup();
    const set = limits.guardFor('web', [LIMIT]);
    assert.equal(said.length, 0);
    set?.enter('address', requestOf('10.0.0.1'), null, set.open());
    const next = limits.next(memories, page).guardFor('web', [{ ...LIMIT, connections: 2 }]);
    assert.equal(next?.enter('address', requestOf('10.0.0.1'), null, next.open()), null);
    assert.equal(said.length, 1);
    const layout = new TableLayout(memory);
    new HoldLedger(layout, said[0]!.ledger).release(layout);
    for (let slot = 0; slot <= layout.slots; slot++) {
      assert.equal(layout.words[layout.at(slot) + SLOT.connections], 0);
    }
  });

  it('have no set without limits', () => {
    assert.equal(setup().limits.guardFor('web', []), null);
  });
});
