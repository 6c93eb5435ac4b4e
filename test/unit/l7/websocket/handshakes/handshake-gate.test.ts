import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../../src/config/types/config.ts';
import { TimerWheel } from '../../../../../src/core/timing/timer-wheel.ts';
import {
  HandshakeGate,
  type ClusterGate,
  type Entrant,
} from '../../../../../src/l7/websocket/handshakes/handshake-gate.ts';
import { layoutOf } from '../../../../../src/protocol/stats-layout.ts';
import { GATE_REFUSALS } from '../../../../../src/telemetry/metrics/label-values.ts';
import type { Metric } from '../../../../../src/telemetry/metrics/metric.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import { StatsPage, allocatePage } from '../../../../../src/telemetry/stats-page.ts';

class Handshake implements Entrant {
  place: Entrant['place'] = 'outside';
  readonly name: string;
  readonly source: string;
  readonly #log: string[];
  onAdmitted: () => void = () => undefined;

  constructor(name: string, log: string[] = [], source = '192.0.2.1') {
    this.name = name;
    this.source = source;
    this.#log = log;
  }

  displaced(): void {
    this.#log.push(`${this.name} displaced`);
  }

  admitted(): void {
    this.#log.push(this.name);
    this.onAdmitted();
  }
}

/** The gates of one listener in several workers, by worker: for its first cluster, and for any. */
function gates(
  count: number,
  maxPendingHandshakes: number,
  maxQueuedHandshakes: number,
  clusters: readonly string[] = ['app'],
): {
  gates: ClusterGate[];
  of: (worker: number, cluster: string) => ClusterGate;
  wheel: TimerWheel;
  counts: (cluster?: string) => { pending: number; queued: number };
  turnedAway: (cluster: string) => Record<string, number>;
} {
  const routes = clusters.map((cluster) => ({
    name: cluster,
    action: { kind: 'cluster', cluster },
    limits: [],
  }));
  const listener = { mode: 'l7', name: 'web', routes, passthrough: [], limits: [] };
  // The layout reads only these parts of a configuration.
  const layout = layoutOf({ listeners: [listener], clusters: [] } as unknown as Config, []);
  const pages = Array.from({ length: count }, () => new StatsPage(allocatePage(layout), layout));
  const all = pages.map(({ values }) => values);
  const wheel = new TimerWheel(0);
  const sum = (metric: Metric, labels: Record<string, string>): number =>
    pages.reduce((total, page) => total + page.values[page.slot(metric, { listener: 'web', ...labels })]!, 0);
  const limits = { maxPendingHandshakes, maxQueuedHandshakes };
  const wholes = pages.map((page) => {
    const gate = new HandshakeGate('web', limits, wheel, page, all);
    for (const cluster of clusters) gate.add(cluster);
    return gate;
  });
  return {
    gates: wholes.map((whole) => whole.of(clusters[0]!)),
    of: (worker, cluster) => wholes[worker]!.of(cluster),
    wheel,
    counts: (cluster = clusters[0]!) => ({
      pending: sum(pageMetrics.handshakesPending, { cluster }),
      queued: sum(pageMetrics.handshakesQueued, { cluster }),
    }),
    turnedAway: (cluster) =>
      Object.fromEntries(
        GATE_REFUSALS.map((reason) => [reason, sum(pageMetrics.handshakesTurnedAway, { cluster, reason })]),
      ),
  };
}

describe('the gate of handshakes', () => {
  it('admits handshakes up to its limit, queues more, and refuses the rest', () => {
    const {
      gates: [gate],
      counts,
    } = gates(1, 2, 3);
    const all = Array.from({ length: 6 }, (_, index) => new Handshake(String(index)));
    assert.deepEqual(
      all.map((handshake) => gate!.enter(handshake)),
      [true, true, true, true, true, false],
    );
    assert.deepEqual(
      all.map(({ place }) => place),
      ['inside', 'inside', 'queued', 'queued', 'queued', 'outside'],
    );
    assert.deepEqual(counts(), { pending: 2, queued: 3 });
  });

  it('admits queued handshakes in order, one for each that leaves', () => {
    const {
      gates: [gate],
      counts,
    } = gates(1, 1, 10);
    const log: string[] = [];
    const all = ['a', 'b', 'c', 'd'].map((name) => new Handshake(name, log));
    for (const handshake of all) gate!.enter(handshake);
    gate!.leave(all[2]!);
    gate!.leave(all[0]!);
    assert.deepEqual(log, ['b']);
    gate!.leave(all[0]!);
    assert.deepEqual(log, ['b'], 'nobody leaves twice');
    gate!.leave(all[1]!);
    assert.deepEqual(log, ['b', 'd']);
    gate!.leave(all[3]!);
    assert.deepEqual(counts(), { pending: 0, queued: 0 });
  });

  it('continues if admitted handshakes fail at once', () => {
    const {
      gates: [gate],
      counts,
    } = gates(1, 1, 5000);
    const log: string[] = [];
    const first = new Handshake('first');
    gate!.enter(first);
    for (let count = 0; count < 5000; count++) {
      const handshake = new Handshake(String(count), log);
      handshake.onAdmitted = () => gate!.leave(handshake);
      gate!.enter(handshake);
    }
    gate!.leave(first);
    assert.equal(log.length, 5000);
    assert.deepEqual(counts(), { pending: 0, queued: 0 });
  });

  it('lets no handshake overtake the queue', () => {
    const {
      gates: [gate, other],
    } = gates(2, 1, 10);
    const theirs = new Handshake('theirs');
    other!.enter(theirs);
    const waiting = new Handshake('waiting');
    gate!.enter(waiting);
    other!.leave(theirs);
    const late = new Handshake('late');
    gate!.enter(late);
    assert.deepEqual([waiting.place, late.place], ['queued', 'queued']);
  });

  it('applies its bounds across all workers, and notices places that others free', () => {
    const { gates: all, wheel, counts } = gates(4, 3, 2);
    const handshakes = Array.from({ length: 6 }, (_, index) => new Handshake(String(index)));
    const entered = handshakes.map((handshake, index) => all[index % 4]!.enter(handshake));
    assert.deepEqual(entered, [true, true, true, true, true, false]);
    assert.deepEqual(counts(), { pending: 3, queued: 2 });
    // In a worker that has none waiting: the others look from time to time.
    all[1]!.leave(handshakes[1]!);
    all[2]!.leave(handshakes[2]!);
    assert.deepEqual(counts(), { pending: 1, queued: 2 });
    wheel.advance(500);
    assert.deepEqual(counts(), { pending: 3, queued: 0 });
    assert.deepEqual([handshakes[3]!.place, handshakes[4]!.place], ['inside', 'inside']);
  });

  it('has no bound without a limit, but still counts', () => {
    const {
      gates: [gate],
      counts,
    } = gates(1, 0, 0);
    for (let count = 0; count < 1000; count++) assert.equal(gate!.enter(new Handshake('')), true);
    assert.deepEqual(counts(), { pending: 1000, queued: 0 });
  });
});

describe('the gate of handshakes between clusters', () => {
  const enter = (gate: ClusterGate, count: number, source?: string, log?: string[]): Handshake[] =>
    Array.from({ length: count }, (_, index) => {
      const handshake = new Handshake(`${source ?? ''}${index}`, log, source);
      gate.enter(handshake);
      return handshake;
    });
  const placesOf = (handshakes: readonly Handshake[]): string[] => handshakes.map(({ place }) => place);

  it('reserves places for other clusters, however many one cluster wants', () => {
    const { of, counts } = gates(1, 10, 10, ['slow', 'fast']);
    enter(of(0, 'slow'), 50);
    // Half of 10 is divided evenly: 2 for each. The rest went to the first.
    assert.deepEqual(counts('slow'), { pending: 8, queued: 8 });
    assert.deepEqual(placesOf(enter(of(0, 'fast'), 4)), ['inside', 'inside', 'queued', 'queued']);
    assert.deepEqual(counts('fast'), { pending: 2, queued: 2 });
  });

  it('reserves places for clusters without a handshake so far', () => {
    const { of, counts } = gates(1, 10, 10, ['slow', 'unused', 'silent', 'idle', 'last']);
    enter(of(0, 'slow'), 50);
    // Half of 10 is divided evenly: 1 for each.
    assert.deepEqual(counts('slow'), { pending: 6, queued: 6 });
  });

  it('counts the places of clusters that only other workers have used', () => {
    const { of, counts } = gates(2, 10, 10, ['slow', 'fast']);
    enter(of(1, 'slow'), 50);
    assert.deepEqual(placesOf(enter(of(0, 'fast'), 4)), ['inside', 'inside', 'queued', 'queued']);
    assert.deepEqual(counts('fast'), { pending: 2, queued: 2 });
  });

  it('reserves them across all workers', () => {
    const { of, counts } = gates(4, 10, 10, ['slow', 'fast']);
    for (let count = 0; count < 40; count++) enter(of(count % 4, 'slow'), 1);
    assert.deepEqual(counts('slow'), { pending: 8, queued: 8 });
    for (let worker = 0; worker < 4; worker++) enter(of(worker, 'fast'), 1);
    assert.deepEqual(counts('fast'), { pending: 2, queued: 2 });
  });

  it('reserves a place for each of many clusters, within the limit', () => {
    const names = Array.from({ length: 12 }, (_, index) => `c${index}`);
    const { of, counts } = gates(2, 20, 12, names);
    for (const name of names.slice(0, -1)) for (const worker of [0, 1]) enter(of(worker, name), 30);
    const last = names.at(-1)!;
    assert.deepEqual(placesOf(enter(of(0, last), 2)), ['inside', 'queued']);
    const all = names.map((name) => counts(name));
    assert.equal(
      all.reduce((sum, { pending }) => sum + pending, 0),
      20,
    );
    assert.equal(
      all.reduce((sum, { queued }) => sum + queued, 0),
      12,
    );
  });

  it('gives free places to the cluster with the fewest', () => {
    const { of, counts } = gates(1, 4, 100, ['a', 'b']);
    const first = enter(of(0, 'a'), 13);
    enter(of(0, 'b'), 10);
    assert.deepEqual([counts('a').pending, counts('b').pending], [3, 1]);
    of(0, 'a').leave(first[0]!);
    assert.deepEqual([counts('a').pending, counts('b').pending], [2, 2]);
    of(0, 'a').leave(first[1]!);
    assert.deepEqual([counts('a').pending, counts('b').pending], [2, 2]);
  });

  it('lets the sources of a cluster take turns', () => {
    const { of } = gates(1, 1, 100, ['app']);
    const log: string[] = [];
    const [inside] = enter(of(0, 'app'), 1);
    const waiting = [
      ...enter(of(0, 'app'), 3, 'a', log),
      ...enter(of(0, 'app'), 2, 'b', log),
      ...enter(of(0, 'app'), 1, 'c', log),
    ];
    for (const handshake of waiting) handshake.onAdmitted = () => of(0, 'app').leave(handshake);
    of(0, 'app').leave(inside!);
    assert.deepEqual(log, ['a0', 'b0', 'c0', 'a1', 'b1', 'a2']);
  });

  it('gives a place in a full queue to a source with fewer, and counts the reason', () => {
    const { of, counts, turnedAway } = gates(1, 1, 4, ['app']);
    const log: string[] = [];
    enter(of(0, 'app'), 1);
    const hoarder = enter(of(0, 'app'), 9, 'a', log);
    assert.deepEqual(placesOf(hoarder.slice(3)), ['queued', ...Array<string>(5).fill('outside')]);
    const others = [...enter(of(0, 'app'), 3, 'b', log), ...enter(of(0, 'app'), 1, 'c', log)];
    // Two of each, then one of the two goes to the third source; nobody is displaced to and fro.
    assert.deepEqual(placesOf(others), ['queued', 'queued', 'outside', 'queued']);
    assert.deepEqual(log, ['a0 displaced', 'a1 displaced', 'a2 displaced']);
    assert.deepEqual(counts(), { pending: 1, queued: 4 });
    assert.deepEqual(turnedAway('app'), { queue_full: 6, displaced: 3, timeout: 0 });
  });
});
