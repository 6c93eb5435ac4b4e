import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { StuckWorkers } from '../../../../../src/primary/workers/stuck/stuck-workers.ts';
import { WorkerRoster } from '../../../../../src/primary/workers/worker-roster.ts';
import type { WorkerSlot } from '../../../../../src/primary/workers/worker-slot.ts';
import type { WorkerState } from '../../../../../src/protocol/admin/status.ts';
import { capture, config } from '../../fixtures/config.ts';

/** A slot whose thread ends when the test lets it. */
class FakeSlot {
  readonly kind = 'l7';
  readonly name: string;
  readonly restarts: number;
  readonly page = new SharedArrayBuffer(8);
  readonly listeningSockets = [];
  readonly pulse = null;
  readonly #ended = Promise.withResolvers<undefined>();
  readonly ended = this.#ended.promise;
  state: WorkerState = 'up';
  successors: string | null | undefined;

  constructor(name: string, restarts = 0) {
    this.name = name;
    this.restarts = restarts;
  }

  abandon({ successors }: { readonly successors: string | null }): void {
    this.state = 'stuck';
    this.successors = successors;
  }

  endThread(): void {
    this.#ended.resolve(undefined);
  }

  close(): void {
    this.state = 'ended';
  }
}

function setup(): {
  readonly stuck: StuckWorkers;
  readonly roster: WorkerRoster<FakeSlot>;
  readonly started: FakeSlot[];
  readonly messages: () => string[];
} {
  const roster = new WorkerRoster<FakeSlot>();
  roster.slots = ['l7-0', 'l7-1'].map((name) => new FakeSlot(name));
  const started: FakeSlot[] = [];
  const { log, lines } = capture();
  const parts = {
    roster,
    pages: { abandon: () => () => undefined },
    currentGeneration: { config },
    broadcast: { sendPages: () => undefined },
    factory: {
      create: (_kind: string, name: string, { restarts }: { restarts: number }) =>
        new FakeSlot(name, restarts),
    },
    start: (slot: FakeSlot) => {
      started.push(slot);
      return Promise.resolve();
    },
    log,
  };
  const stuck = new StuckWorkers(parts as unknown as ConstructorParameters<typeof StuckWorkers>[0]);
  return { stuck, roster, started, messages: () => lines.map(({ msg }) => msg) };
}

function add(stuck: StuckWorkers, slot: FakeSlot | undefined): void {
  stuck.add(slot as unknown as WorkerSlot, 5000);
}

describe('a stuck worker', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is replaced at once the first time, by a worker of its name', () => {
    const { stuck, roster, started, messages } = setup();
    const [slot] = roster.slots;
    add(stuck, slot);
    assert.deepEqual(
      started.map(({ name, restarts }) => [name, restarts]),
      [['l7-0', 1]],
    );
    assert.equal(roster.slots[0], started[0]);
    assert.equal(stuck.leftBehind.count, 1);
    assert.deepEqual(messages(), ['worker is stuck', 'replacing stuck worker']);
  });

  it('has no successors if a sibling serves its addresses, otherwise its replacement', () => {
    const { stuck, roster } = setup();
    const [first, second] = roster.slots;
    add(stuck, first);
    assert.equal(first!.successors, null);
    roster.slots[0]!.state = 'starting';
    add(stuck, second);
    assert.equal(second!.successors, 'siblings');
  });

  it('keeps its slot while too many threads are left behind, until one of them ends', async () => {
    const { stuck, roster, started, messages } = setup();
    const [first] = roster.slots;
    for (const slot of [...roster.slots]) add(stuck, slot);
    assert.equal(stuck.unrecoverable, null);
    const third = roster.slots[1];
    add(stuck, third);
    assert.equal(roster.slots[1], third);
    assert.equal(stuck.unrecoverable, 'too many stuck threads, not replaced: l7-1');
    assert.equal(messages().at(-1), 'too many stuck threads: restart the process');
    assert.equal(started.length, 2);
    first!.endThread();
    await new Promise(setImmediate);
    assert.equal(stuck.unrecoverable, null);
    assert.notEqual(roster.slots[1], third);
  });

  it('has no replacement once all workers end', () => {
    const { stuck, roster, started } = setup();
    stuck.stopReplacing();
    add(stuck, roster.slots[0]);
    assert.deepEqual(started, []);
    assert.equal(stuck.unrecoverable, null);
  });

  it('is forgotten without a replacement if it is no longer configured', () => {
    const { stuck, roster, started } = setup();
    const [first, second] = roster.slots;
    roster.slots = [second!];
    roster.addLeaving(first!);
    add(stuck, first);
    assert.deepEqual([started, roster.leaving], [[], []]);
    assert.equal(stuck.leftBehind.count, 1);
  });
});
