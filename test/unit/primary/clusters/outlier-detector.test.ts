import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { OutlierFailure, OutlierSettings } from '../../../../src/config/types/cluster.ts';
import { LoopWheel } from '../../../../src/core/timing/loop-wheel.ts';
import { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import { OutlierDetector, type Successes } from '../../../../src/primary/clusters/outlier-detector.ts';
import { endpointConfigs, endpointState } from '../../upstream/endpoints.ts';
import { mockedTimers } from '../fixtures/mocked-timers.ts';
import { recordOwner } from '../fixtures/records.ts';

const SETTINGS: OutlierSettings = {
  failures: ['connect'],
  windowMs: 10_000,
  minClients: 5,
  consecutiveFailures: 5,
  ejectionMs: 30_000,
  maxEjectionMs: 75_000,
  maxEjectedPercent: 50,
};
/** More than an ejection is late. */
const TICK_MS = 25;
const NOTHING: Successes = { dials: 0, answers: 0, serverErrors: 0 };

/** A cluster whose endpoints do as a test says, and the detector that judges them. */
class Bench {
  readonly all: readonly EndpointRecord[];
  readonly detector: OutlierDetector;
  readonly #successes: Map<EndpointRecord, Successes>;

  constructor(count: number, settings: Partial<OutlierSettings> = {}) {
    this.all = endpointConfigs(new Array<number>(count).fill(1)).map(
      (config) => new EndpointRecord(endpointState(config), recordOwner()),
    );
    this.#successes = new Map(this.all.map((record) => [record, NOTHING]));
    this.detector = new OutlierDetector(
      { ...SETTINGS, ...settings },
      (record) => this.#successes.get(record) ?? NOTHING,
      new LoopWheel(mockedTimers()),
    );
  }

  get ejected(): number[] {
    return this.all.flatMap((record, index) => (record.ejected ? [index] : []));
  }

  succeed(index: number, changes: Partial<Successes>): void {
    const before = this.#successes.get(this.all[index]!)!;
    this.#successes.set(this.all[index]!, {
      dials: before.dials + (changes.dials ?? 0),
      answers: before.answers + (changes.answers ?? 0),
      serverErrors: before.serverErrors + (changes.serverErrors ?? 0),
    });
  }

  fail(index: number, kind: OutlierFailure = 'connect', client = '192.0.2.1', count = 1): void {
    this.detector.failed(this.all[index]!, { kind, count, client }, this.all);
  }

  failDials(index: number, times: number): void {
    for (let count = 0; count < times; count++) this.fail(index);
  }
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

describe('outlier detection by failed dials', () => {
  it('ejects after consecutive failures, but not if a dial succeeded in between', () => {
    const bench = new Bench(3);
    bench.succeed(0, { dials: 7 });
    bench.failDials(0, 4);
    bench.succeed(0, { dials: 1 });
    bench.failDials(0, 4);
    assert.deepEqual(bench.ejected, []);
    bench.failDials(0, 1);
    assert.deepEqual(bench.ejected, [0]);
    assert.equal(bench.all[0]!.reason, '5 connect failures in a row; ejected for 30s');
  });

  it('counts all failures of one report', () => {
    const bench = new Bench(3);
    bench.fail(0, 'connect', '', 5);
    assert.deepEqual(bench.ejected, [0]);
  });

  it('brings it back, and ejects it for longer at its first failure, up to the max time', () => {
    const bench = new Bench(3);
    bench.failDials(0, 5);
    for (const ms of [30_000, 60_000, 75_000, 75_000]) {
      mock.timers.tick(ms - 1);
      assert.deepEqual(bench.ejected, [0]);
      mock.timers.tick(1 + TICK_MS);
      assert.deepEqual(bench.ejected, []);
      bench.failDials(0, 1);
    }
    assert.equal(bench.all[0]!.counts.ejections, 5);
  });

  it('forgives one ejection per ejection period without failures', () => {
    const bench = new Bench(3);
    bench.failDials(0, 5);
    mock.timers.tick(30_000 + TICK_MS);
    mock.timers.tick(300_000);
    bench.failDials(0, 1);
    mock.timers.tick(30_000 + TICK_MS);
    assert.deepEqual(bench.ejected, []);
  });

  it('never ejects more than the max fraction', () => {
    for (const [count, most] of [
      [1, 0],
      [2, 1],
      [3, 1],
      [10, 5],
    ] as const) {
      const bench = new Bench(count);
      for (let index = 0; index < count; index++) bench.failDials(index, 9);
      assert.equal(bench.ejected.length, most);
    }
  });

  it('ignores the other kinds, for any client', () => {
    const bench = new Bench(3);
    for (const kind of ['reset', 'handshake', '5xx'] as const) {
      for (let count = 0; count < 100; count++) {
        bench.succeed(1, { answers: 10 });
        bench.fail(0, kind, `192.0.2.${count}`);
        mock.timers.tick(1000);
      }
    }
    assert.deepEqual(bench.ejected, []);
  });
});

describe('outlier detection by failures that a request can provoke', () => {
  const OPTED_IN = { failures: ['connect', 'reset', 'handshake', '5xx'] as const };

  /** A second: the first endpoint fails these clients, while each of the others answers a number of requests well. */
  function second(bench: Bench, kind: OutlierFailure, clients: readonly string[], good = 10): void {
    for (let index = 1; index < bench.all.length; index++) bench.succeed(index, { answers: good });
    for (const client of clients) bench.fail(0, kind, client);
    mock.timers.tick(1000);
  }

  const five = [1, 2, 3, 4, 5].map((last) => `192.0.2.${last}`);

  for (const kind of ['reset', 'handshake', '5xx'] as const) {
    it(`ejects an endpoint that has failed several clients by ${kind} for the whole window, and no other`, () => {
      const bench = new Bench(4, OPTED_IN);
      for (let seconds = 0; seconds < 10; seconds++) {
        second(bench, kind, five);
        assert.deepEqual(bench.ejected, []);
      }
      second(bench, kind, five);
      assert.deepEqual(bench.ejected, [0]);
      assert.match(bench.all[0]!.reason, new RegExp(`^\\d+ ${kind} failures in a row for 5 clients; `));
    });
  }

  it('lets no client eject an endpoint, even with many failures from many addresses of its network', () => {
    const bench = new Bench(4, OPTED_IN);
    for (let seconds = 0; seconds < 100; seconds++) {
      const clients = Array.from({ length: 100 }, (_, index) => `2001:db8:0:1:${index}::${seconds + 1}`);
      second(bench, 'reset', [...clients, '2001:db8:0:1::1', '2001:0db8::1:0:0:0:1']);
    }
    assert.deepEqual(bench.ejected, []);
  });

  it('compares clients with successes: many failures of few clients count little', () => {
    const bench = new Bench(4, OPTED_IN);
    for (let seconds = 0; seconds < 100; seconds++) {
      // Between bursts that are long enough for a row, others are served.
      bench.succeed(0, { answers: 2 });
      second(bench, 'reset', [...five, ...five]);
    }
    assert.deepEqual(bench.ejected, []);
  });

  it('blames the request, not the endpoint, if it fails everywhere in the same way', () => {
    const bench = new Bench(4, OPTED_IN);
    for (let seconds = 0; seconds < 100; seconds++) {
      for (let index = 0; index < 4; index++) for (const client of five) bench.fail(index, '5xx', client);
      mock.timers.tick(1000);
    }
    assert.deepEqual(bench.ejected, []);
  });

  it('ejects nothing if no other endpoint is known to do better', () => {
    for (const count of [1, 4]) {
      const bench = new Bench(count, { ...OPTED_IN, maxEjectedPercent: 100 });
      for (let seconds = 0; seconds < 100; seconds++) second(bench, 'reset', five, 0);
      assert.deepEqual(bench.ejected, []);
    }
  });

  it('counts an answer of 500 as a success for resets, but not for 5xx', () => {
    for (const [kind, ejected] of [
      ['reset', []],
      ['handshake', []],
      ['5xx', [0]],
    ] as const) {
      const bench = new Bench(4, OPTED_IN);
      for (let seconds = 0; seconds < 10; seconds++) {
        bench.succeed(0, { serverErrors: 5 });
        second(bench, kind, five.slice(0, 4));
        second(bench, kind, five);
      }
      assert.deepEqual(bench.ejected, kind === '5xx' ? ejected : [], kind);
    }
  });

  it('does not eject again at the first failure after an ejection, unlike failed dials', () => {
    const bench = new Bench(4, OPTED_IN);
    for (let seconds = 0; seconds < 11; seconds++) second(bench, 'reset', five);
    assert.deepEqual(bench.ejected, [0]);
    mock.timers.tick(30_000 + TICK_MS);
    assert.deepEqual(bench.ejected, []);
    for (let seconds = 0; seconds < 10; seconds++) second(bench, 'reset', five);
    assert.deepEqual(bench.ejected, []);
    bench.fail(0, 'connect');
    assert.deepEqual(bench.ejected, [], 'a row of resets is none of dials');
    second(bench, 'reset', five);
    assert.deepEqual(bench.ejected, [0]);
  });

  it('keeps its state when settings change, except windows of another length', () => {
    const bench = new Bench(4, OPTED_IN);
    for (let seconds = 0; seconds < 10; seconds++) second(bench, 'reset', five);
    for (const [windowMs, ejects] of [
      [20_000, false],
      [10_000, true],
    ] as const) {
      const next = new Bench(4, { ...OPTED_IN, windowMs });
      for (const [index, record] of bench.all.entries()) {
        next.detector.inherit(next.all[index]!, bench.detector, record);
      }
      second(next, 'reset', five);
      second(next, 'reset', five, 1000);
      assert.equal(next.ejected.length > 0, ejects);
    }
  });
});
