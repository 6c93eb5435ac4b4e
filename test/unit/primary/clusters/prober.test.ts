import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { HealthCheck } from '../../../../src/config/types/cluster.ts';
import { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import { Prober } from '../../../../src/primary/clusters/prober.ts';
import type { ProbeResult } from '../../../../src/upstream/probes/probe.ts';
import { endpointConfigs, endpointState } from '../../upstream/endpoints.ts';
import { capture, type LogLine } from '../fixtures/config.ts';
import { recordOwner } from '../fixtures/records.ts';

function records(count: number, slowStartMs = 0): EndpointRecord[] {
  return endpointConfigs(new Array<number>(count).fill(1)).map(
    (config) => new EndpointRecord(endpointState(config), recordOwner(slowStartMs)),
  );
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

describe('probes', () => {
  const CHECK: HealthCheck = {
    type: 'tcp',
    path: '/',
    host: null,
    status: { min: 200, max: 399 },
    intervalMs: 1000,
    timeoutMs: 500,
    rise: 2,
    fall: 3,
  };

  function probed(slowStartMs = 0): {
    record: EndpointRecord;
    answer: (failure: string | null) => void;
    /** The probe cannot be made. */
    fall: () => void;
    waiting: () => boolean;
    first: Promise<void>;
    lines: readonly LogLine[];
  } {
    const [record] = records(1, slowStartMs);
    const { log, lines } = capture();
    let done: ((result: ProbeResult) => void) | null = null;
    const prober = new Prober(CHECK, { tls: null, preface: null }, log, (_target, _check, next) => {
      done = next;
      return () => (done = null);
    });
    const first = prober.watch(record!);
    const end = (result: ProbeResult): void => {
      const current = done;
      done = null;
      current!(result);
    };
    const answer = (failure: string | null): void =>
      end(failure === null ? { verdict: 'well' } : { verdict: 'ill', reason: failure });
    const fall = (): void => end({ verdict: 'unmade', reason: 'connect EMFILE' });
    return { record: record!, answer, fall, waiting: () => done !== null, first, lines };
  }

  it('are made for a bounded number of endpoints at the same time, and for the others in their turn', () => {
    const { log } = capture();
    const under = new Map<string, (result: ProbeResult) => void>();
    const prober = new Prober(CHECK, { tls: null, preface: null }, log, ({ label }, _check, next) => {
      under.set(label, next);
      return () => under.delete(label);
    });
    const all = records(300);
    for (const record of all) void prober.watch(record);
    assert.deepEqual(
      [...under.keys()],
      all.slice(0, 256).map(({ facts }) => facts.label),
    );
    under.get(all[0]!.facts.label)!({ verdict: 'well' });
    assert.ok(under.has(all[256]!.facts.label));
    // A probe in progress goes, and a waiting one.
    prober.forget(all[1]!);
    prober.forget(all[258]!);
    assert.ok(under.has(all[257]!.facts.label) && !under.has(all[258]!.facts.label));
    for (const { facts } of all.slice(2, 50)) under.get(facts.label)!({ verdict: 'well' });
    assert.ok(under.has(all[299]!.facts.label));
    prober.stop();
  });

  it('hold up nothing for an endpoint that is forgotten, and none begins when all stop', async () => {
    const { log } = capture();
    let begun = 0;
    const prober = new Prober(CHECK, { tls: null, preface: null }, log, () => {
      begun++;
      return () => undefined;
    });
    const all = records(300);
    const first = all.map((record) => prober.watch(record));
    prober.forget(all[0]!);
    prober.forget(all[299]!);
    await Promise.all([first[0], first[299]]);
    const before = begun;
    prober.stop();
    await Promise.all(first);
    assert.equal(begun, before);
  });

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
    assert.deepEqual(record.counts, { probes: 13, probeFailures: 7, probesUnmade: 0, ejections: 0 });
  });

  it('that cannot be made change no verdict and no row, are counted, and logged once', () => {
    const { record, answer, fall, lines } = probed();
    answer(null);
    const { lastProbe } = record;
    for (let count = 0; count < 20; count++) {
      mock.timers.tick(1101);
      fall();
    }
    assert.deepEqual([record.health, record.streak, record.lastProbe], ['up', 1, lastProbe]);
    for (let count = 0; count < 3; count++) {
      assert.equal(record.health, 'up');
      mock.timers.tick(1101);
      answer('refused');
      mock.timers.tick(1101);
      fall();
    }
    assert.equal(record.health, 'down', 'three in a row, whatever could not be made between');
    mock.timers.tick(1101);
    fall();
    assert.equal(record.health, 'down');
    assert.deepEqual(record.counts, { probes: 28, probeFailures: 3, probesUnmade: 24, ejections: 0 });
    const told = lines.filter(({ msg }) => msg === 'probe not made');
    assert.equal(told.length, 1);
  });

  it('hold up nothing if the first cannot be made, and the first that is made decides by itself', async () => {
    const { record, answer, fall, first } = probed();
    record.setDown(true, 'it has not been probed yet');
    fall();
    await first;
    assert.equal(record.reason, 'it has not been probed yet');
    mock.timers.tick(1101);
    answer(null);
    assert.equal(record.health, 'up', 'though rise is 2');
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
