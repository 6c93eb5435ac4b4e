import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../src/config/types.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import { HandshakeGate, type Entrant } from '../../../src/l7/handshake-gate.ts';
import { layoutOf } from '../../../src/protocol/stats-layout.ts';
import { pageMetrics } from '../../../src/telemetry/names.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';

class Handshake implements Entrant {
  place: Entrant['place'] = 'outside';
  readonly name: string;
  readonly #log: string[];
  onAdmitted: () => void = () => undefined;

  constructor(name: string, log: string[] = []) {
    this.name = name;
    this.#log = log;
  }

  admitted(): void {
    this.#log.push(this.name);
    this.onAdmitted();
  }
}

/** The gates of one listener in several workers. */
function gates(
  count: number,
  maxPendingHandshakes: number,
  maxQueuedHandshakes: number,
): {
  gates: HandshakeGate[];
  wheel: TimerWheel;
  counts: () => { pending: number; queued: number };
} {
  const listener = { mode: 'l7', name: 'web', routes: [] };
  // Of a configuration the layout looks at nothing else.
  const layout = layoutOf({ listeners: [listener], clusters: [] } as unknown as Config, []);
  const pages = Array.from({ length: count }, () => new StatsPage(allocatePage(layout), layout));
  const all = pages.map(({ values }) => values);
  const wheel = new TimerWheel(0);
  const sum = (metric: (typeof pageMetrics)['handshakesPending']): number =>
    pages.reduce((total, page) => total + page.values[page.slot(metric, { listener: 'web' })]!, 0);
  return {
    gates: pages.map(
      (page) => new HandshakeGate('web', { maxPendingHandshakes, maxQueuedHandshakes }, wheel, page, all),
    ),
    wheel,
    counts: () => ({
      pending: sum(pageMetrics.handshakesPending),
      queued: sum(pageMetrics.handshakesQueued),
    }),
  };
}

describe('the gate of handshakes', () => {
  it('lets in as many as may be, has as many wait, and refuses the others', () => {
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

  it('admits those that wait in their order, each when another has left', () => {
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

  it('goes on where those that are admitted fail at once', () => {
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

  it('lets nobody pass those that wait', () => {
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

  it('holds its bounds over all workers, and sees when others have made room', () => {
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

  it('bounds nothing where there is no limit, and counts all the same', () => {
    const {
      gates: [gate],
      counts,
    } = gates(1, 0, 0);
    for (let count = 0; count < 1000; count++) assert.equal(gate!.enter(new Handshake('')), true);
    assert.deepEqual(counts(), { pending: 1000, queued: 0 });
  });
});
