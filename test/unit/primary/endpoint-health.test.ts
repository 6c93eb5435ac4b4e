import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { HealthCheck } from '../../../src/config/types.ts';
import { EndpointRecord } from '../../../src/primary/endpoint-record.ts';
import { Prober } from '../../../src/primary/prober.ts';
import { membershipOf } from '../../../src/upstream/membership.ts';
import { RetryBudget } from '../../../src/upstream/retry-budget.ts';
import { endpointConfigs, endpointState } from '../upstream/endpoints.ts';

function records(count: number, slowStartMs = 0): EndpointRecord[] {
  return endpointConfigs(new Array<number>(count).fill(1)).map(
    (config) => new EndpointRecord(endpointState(config), slowStartMs, { onChange: () => undefined }),
  );
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

describe('probes', () => {
  const CHECK: HealthCheck = {
    type: 'tcp',
    path: '/',
    host: null,
    status: { least: 200, most: 399 },
    intervalMs: 1000,
    timeoutMs: 500,
    rise: 2,
    fall: 3,
  };

  function probed(slowStartMs = 0): {
    record: EndpointRecord;
    answer: (failure: string | null) => void;
    waiting: () => boolean;
  } {
    const [record] = records(1, slowStartMs);
    let done: ((failure: string | null) => void) | null = null;
    const prober = new Prober(CHECK, null, (_target, _check, next) => {
      done = next;
      return () => (done = null);
    });
    void prober.watch(record!);
    const answer = (failure: string | null): void => {
      const current = done;
      done = null;
      current!(failure);
    };
    return { record: record!, answer, waiting: () => done !== null };
  }

  it('decide by the first, and after that by rise and fall, once an interval give or take a tenth', () => {
    const { record, answer, waiting } = probed();
    answer('timed out');
    assert.deepEqual([record.health, record.reason], ['down', 'its probe timed out']);
    for (const [failure, health] of [
      [null, 'down'],
      [null, 'up'],
      ['x', 'up'],
      ['x', 'up'],
      [null, 'up'],
      ['x', 'up'],
      ['x', 'up'],
      ['x', 'down'],
      [null, 'down'],
      ['x', 'down'],
      [null, 'down'],
      [null, 'up'],
    ] as const) {
      mock.timers.tick(899);
      assert.equal(waiting(), false);
      mock.timers.tick(202);
      assert.equal(waiting(), true);
      answer(failure);
      assert.equal(record.health, health);
    }
    assert.deepEqual(record.counts, { probes: 13, probeFailures: 7, ejections: 0 });
  });

  it('let the slow start of an endpoint that is up again begin', () => {
    const { record, answer } = probed(10_000);
    answer('refused');
    for (let count = 0; count < 2; count++) {
      mock.timers.tick(1101);
      answer(null);
    }
    assert.equal(record.state().warmLeftMs, 10_000);
    mock.timers.tick(4000);
    assert.equal(record.state().warmLeftMs, 6000);
    mock.timers.tick(7000);
    assert.equal(record.state().warmLeftMs, 0);
  });
});

describe('the health of an endpoint', () => {
  it('is the gravest of what holds of it, with the reason of that, and since when', () => {
    const [record] = records(1);
    const told = (): unknown[] => [record!.health, record!.reason, record!.since];
    record!.setDown(true, 'its probe timed out');
    assert.deepEqual(told(), ['down', 'its probe timed out', 1_000_000]);
    mock.timers.tick(1000);
    record!.setEjected(true, '5 failures in a row');
    record!.setDown(true, 'its probe answered 500');
    assert.deepEqual(told(), ['ejected', '5 failures in a row', 1_001_000]);
    mock.timers.tick(1000);
    record!.setDraining(true, 'drained by an operator');
    mock.timers.tick(1000);
    record!.setEjected(false, 'its ejection is over');
    assert.deepEqual(told(), ['draining', 'drained by an operator', 1_002_000]);
    record!.setDraining(false, 'undrained by an operator');
    assert.deepEqual(told(), ['down', 'its probe answered 500', 1_003_000]);
    mock.timers.tick(1000);
    record!.setDown(false, 'its probes are good');
    assert.deepEqual(told(), ['up', 'its probes are good', 1_004_000]);
    assert.equal(record!.counts.ejections, 1);
  });
});

describe('the members of a cluster', () => {
  const member = (
    health: 'up' | 'down' | 'ejected' | 'draining',
    priority = 0,
  ): { health: typeof health; priority: number } => ({
    health,
    priority,
  });

  it('are those that are up, until more than half is not', () => {
    const [up, down, ejected, draining] = [
      member('up'),
      member('down'),
      member('ejected'),
      member('draining'),
    ];
    assert.deepEqual(membershipOf([up, down, draining], 50), { eligible: [up], panic: false });
    assert.deepEqual(membershipOf([up, down, ejected, draining], 50), {
      eligible: [up, down, ejected],
      panic: true,
    });
    assert.deepEqual(membershipOf([up, down, ejected], 0), { eligible: [up], panic: false });
    assert.deepEqual(membershipOf([down], 0), { eligible: [], panic: false });
    assert.deepEqual(membershipOf([draining], 50), { eligible: [], panic: false });
  });

  it('are of the lowest priority that has one that is up', () => {
    const [first, second, third] = [member('down', 1), member('up', 5), member('up', 9)];
    assert.deepEqual(membershipOf([third, first, second], 50), { eligible: [second], panic: false });
  });
});

describe('a retry budget', () => {
  it('allows a part of the connections of the last ten seconds, and a few always', () => {
    let now = 0;
    const budget = new RetryBudget({ percent: 20, minPerSecond: 1 }, () => now);
    const take = (): number => {
      let count = 0;
      while (budget.withdraw()) count++;
      return count;
    };
    assert.equal(take(), 10);
    for (let count = 0; count < 1000; count++) budget.deposit();
    assert.equal(take(), 200);
    now = 9999;
    assert.equal(take(), 0);
    now = 10_000;
    assert.equal(take(), 10);
    now = 1_000_000;
    for (let count = 0; count < 50; count++) budget.deposit();
    assert.equal(take(), 20);
  });
});
