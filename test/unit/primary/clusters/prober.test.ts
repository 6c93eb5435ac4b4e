import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { HealthCheck } from '../../../../src/config/types/cluster.ts';
import { LoopWheel } from '../../../../src/core/timing/loop-wheel.ts';
import { StartQueue } from '../../../../src/core/timing/start-queue.ts';
import { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import { Prober, type ProbeTools } from '../../../../src/primary/clusters/prober.ts';
import type { ProbeResult } from '../../../../src/upstream/probes/probe.ts';
import { endpointConfigs, endpointState } from '../../upstream/endpoints.ts';
import { capture, type LogLine } from '../fixtures/config.ts';
import { mockedTimers } from '../fixtures/mocked-timers.ts';
import { recordOwner } from '../fixtures/records.ts';

function records(count: number, slowStartMs = 0): EndpointRecord[] {
  return endpointConfigs(new Array<number>(count).fill(1)).map(
    (config) => new EndpointRecord(endpointState(config), recordOwner(slowStartMs)),
  );
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

interface Bench {
  readonly prober: Prober;
  readonly lines: readonly LogLine[];
  /** Gives the queue turns of the loop until nothing is left to start. */
  readonly turn: () => void;
}

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

  /** A prober whose queue has a number of places, and starts work when a test gives it a turn. */
  function bench(run: ProbeTools['probe'], { places = 10, random = 0.5 } = {}): Bench {
    const { log, lines } = capture();
    const turns: (() => void)[] = [];
    const queue = new StartQueue(places, { now: () => 0, nextTurn: (next) => void turns.push(next) });
    const tools = { wheel: new LoopWheel(mockedTimers()), queue, probe: run, random: () => random };
    const opening = { tls: null, preface: null };
    const prober = new Prober({ check: CHECK, opening, tools, cluster: 'app', log });
    const turn = (): void => {
      for (let next = turns.shift(); next !== undefined; next = turns.shift()) next();
    };
    return { prober, lines, turn };
  }

  function probed(slowStartMs = 0): {
    record: EndpointRecord;
    answer: (failure: string | null) => void;
    /** The probe cannot be made. */
    fall: () => void;
    wait: (ms: number) => void;
    waiting: () => boolean;
    isFirstOver: () => boolean;
    lines: readonly LogLine[];
  } {
    const [record] = records(1, slowStartMs);
    let done: ((result: ProbeResult) => void) | null = null;
    const { prober, lines, turn } = bench((_target, _check, next) => {
      done = next;
      return () => (done = null);
    });
    let isFirstOver = false;
    prober.watch(record!, () => (isFirstOver = true));
    turn();
    const end = (result: ProbeResult): void => {
      const current = done;
      done = null;
      current!(result);
    };
    const wait = (ms: number): void => {
      mock.timers.tick(ms);
      turn();
    };
    const answer = (failure: string | null): void =>
      end(failure === null ? { verdict: 'passed' } : { verdict: 'failed', reason: failure });
    const fall = (): void => end({ verdict: 'unmade', reason: 'connect EMFILE' });
    const waiting = (): boolean => done !== null;
    return { record: record!, answer, fall, wait, waiting, isFirstOver: () => isFirstOver, lines };
  }

  it('run for a limited number of endpoints at a time, and for the others in turn', () => {
    const under = new Map<string, (result: ProbeResult) => void>();
    const { prober, turn } = bench(
      ({ label }, _check, next) => {
        under.set(label, next);
        return () => under.delete(label);
      },
      { places: 256 },
    );
    const all = records(300);
    for (const record of all) prober.watch(record, () => undefined);
    turn();
    assert.deepEqual(
      [...under.keys()],
      all.slice(0, 256).map(({ facts }) => facts.label),
    );
    under.get(all[0]!.facts.label)!({ verdict: 'passed' });
    turn();
    assert.ok(under.has(all[256]!.facts.label));
    // A probe in progress goes, and a waiting one.
    prober.forget(all[1]!);
    prober.forget(all[258]!);
    turn();
    assert.ok(under.has(all[257]!.facts.label) && !under.has(all[258]!.facts.label));
    for (const { facts } of all.slice(2, 50)) under.get(facts.label)!({ verdict: 'passed' });
    turn();
    assert.ok(under.has(all[299]!.facts.label));
    prober.stop();
  });

  it('release their place when an endpoint is forgotten, and none starts after the end', () => {
    let begun = 0;
    const { prober, turn } = bench(
      () => {
        begun++;
        return () => undefined;
      },
      { places: 256 },
    );
    const all = records(300);
    const over = new Set<EndpointRecord>();
    for (const record of all) prober.watch(record, () => over.add(record));
    turn();
    prober.forget(all[0]!);
    prober.forget(all[299]!);
    assert.deepEqual([...over], [all[0], all[299]]);
    turn();
    const before = begun;
    prober.stop();
    turn();
    assert.deepEqual([begun, over.size], [before, 300]);
  });

  it('of endpoints first probed together spread over the interval', () => {
    const waits: number[] = [];
    for (const random of [0, 0.25, 0.999]) {
      let begun = 0;
      const under: (() => void)[] = [];
      const { prober, turn } = bench(
        (_target, _check, next) => {
          begun++;
          under.push(() => next({ verdict: 'passed' }));
          return () => undefined;
        },
        { random },
      );
      const [one, two] = records(2);
      prober.watch(one!, () => undefined);
      prober.resume(two!);
      turn();
      for (const end of under.splice(0)) end();
      const startedAt = Date.now();
      for (const wanted of [2, 3]) {
        while (begun < wanted) {
          mock.timers.tick(5);
          turn();
        }
        waits.push(Math.floor((Date.now() - startedAt) / 50) * 50);
      }
      prober.stop();
    }
    assert.deepEqual(waits, [1000, 1000, 750, 750, 0, 0]);
  });

  it('decide at the first probe, then by rise and fall, once per interval with 10% jitter', () => {
    const { record, answer, wait, waiting } = probed();
    answer('timed out');
    assert.deepEqual([record.health, record.reason], ['down', 'its probe timed out']);
    wait(530);
    assert.equal(waiting(), true);
    answer('timed out');
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
      wait(899);
      assert.equal(waiting(), false);
      wait(230);
      assert.equal(waiting(), true);
      answer(failure);
      assert.equal(record.health, health);
    }
    assert.deepEqual(record.counts, { probes: 14, probeFailures: 8, probesUnmade: 0, ejections: 0 });
  });

  it('that cannot be made change no verdict and no streak, are counted, and logged once', () => {
    const { record, answer, fall, wait, lines } = probed();
    answer(null);
    const lastProbe = { ...record.lastProbe };
    for (let count = 0; count < 20; count++) {
      wait(1130);
      fall();
    }
    assert.deepEqual([record.health, record.streak, record.lastProbe], ['up', 1, lastProbe]);
    for (let count = 0; count < 3; count++) {
      assert.equal(record.health, 'up');
      wait(1130);
      answer('refused');
      wait(1130);
      fall();
    }
    assert.equal(record.health, 'down', 'three in a row, whatever could not be made between');
    wait(1130);
    fall();
    assert.equal(record.health, 'down');
    assert.deepEqual(record.counts, { probes: 28, probeFailures: 3, probesUnmade: 24, ejections: 0 });
    const told = lines.filter(({ msg }) => msg === 'probe not made');
    assert.equal(told.length, 1);
  });

  it('do not delay the start if the first cannot be made, and the first completed one decides alone', () => {
    const { record, answer, fall, wait, isFirstOver } = probed();
    record.setDown(true, 'it has not been probed yet');
    fall();
    assert.ok(isFirstOver());
    assert.equal(record.reason, 'it has not been probed yet');
    wait(1130);
    answer(null);
    assert.equal(record.health, 'up', 'though rise is 2');
  });

  it('start the slow start of an endpoint that is up again', () => {
    const { record, answer, wait } = probed(10_000);
    answer('refused');
    for (let count = 0; count < 2; count++) {
      wait(1130);
      answer(null);
    }
    assert.equal(record.state().warmLeftMs, 10_000);
    mock.timers.tick(4000);
    assert.equal(record.state().warmLeftMs, 6000);
    mock.timers.tick(7000);
    assert.equal(record.state().warmLeftMs, 0);
  });
});
