import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerWatch } from '../../../../../src/primary/workers/stuck/worker-watch.ts';
import type { WorkerSlot } from '../../../../../src/primary/workers/worker-slot.ts';
import { Pulse } from '../../../../../src/protocol/pulse.ts';

const LOOK_MS = 250;
const STUCK_AFTER_MS = 1000;

/** The part of a slot that the watch sees. */
interface FakeSlot {
  readonly name: string;
  state: WorkerSlot['state'];
  pulse: Pulse | null;
}

class Stage {
  readonly slots: FakeSlot[] = [];
  readonly told: string[] = [];
  stuckAfterMs = STUCK_AFTER_MS;
  #now = 0;
  readonly #watch = new WorkerWatch<FakeSlot>({
    slots: () => this.slots,
    stuckAfterMs: () => this.stuckAfterMs,
    onStuck: (slot, silentMs) => {
      slot.state = 'stuck';
      this.told.push(`${slot.name} is stuck after ${silentMs}`);
    },
    onRecovered: ({ name }) => void this.told.push(`${name} turns again`),
  });

  add(name: string, state: FakeSlot['state'] = 'up'): FakeSlot {
    const slot = { name, state, pulse: new Pulse() };
    this.slots.push(slot);
    return slot;
  }

  /** Looks so often, on time; these beat in between. */
  look(times: number, beating: readonly FakeSlot[] = []): void {
    for (let time = 0; time < times; time++) {
      for (const { pulse } of beating) pulse?.beat();
      this.#now += LOOK_MS;
      this.#watch.poll(this.#now);
    }
  }

  /** Everything stands still. */
  suspend(ms: number): void {
    this.#now += ms;
  }
}

describe('the watch over workers', () => {
  it('reports once which worker is silent for too long, and ignores the others', () => {
    const stage = new Stage();
    const [frozen, well] = [stage.add('frozen'), stage.add('well')];
    stage.look(4, [frozen, well]);
    stage.look(3, [well]);
    assert.deepEqual(stage.told, []);
    stage.look(20, [well]);
    assert.deepEqual(stage.told, ['frozen is stuck after 1000']);
  });

  it('ignores time in which the process was suspended', () => {
    const stage = new Stage();
    const worker = stage.add('worker');
    for (let times = 0; times < 10; times++) {
      stage.look(2, [worker]);
      stage.suspend(60_000);
    }
    assert.deepEqual(stage.told, []);
  });

  it('ignores a starting worker until it is up', () => {
    const stage = new Stage();
    const worker = stage.add('worker', 'starting');
    stage.look(40);
    worker.state = 'up';
    stage.look(4);
    assert.deepEqual(stage.told, []);
    stage.look(1);
    assert.deepEqual(stage.told, ['worker is stuck after 1000']);
  });

  it('includes a draining worker', () => {
    const stage = new Stage();
    stage.add('worker', 'draining');
    stage.look(5);
    assert.deepEqual(stage.told, ['worker is stuck after 1000']);
  });

  it('judges the next task of a slot separately', () => {
    const stage = new Stage();
    const worker = stage.add('worker');
    stage.look(4);
    worker.pulse = null;
    stage.look(1);
    worker.pulse = new Pulse();
    stage.look(4);
    assert.deepEqual(stage.told, []);
  });

  it('reports once that a stuck worker turns again', () => {
    const stage = new Stage();
    const worker = stage.add('worker');
    stage.look(10);
    stage.look(3, [worker]);
    stage.look(10);
    stage.look(3, [worker]);
    assert.deepEqual(stage.told, ['worker is stuck after 1000', 'worker turns again']);
  });

  it('reports nothing if it is off', () => {
    const stage = new Stage();
    stage.stuckAfterMs = 0;
    stage.add('worker');
    stage.look(1000);
    assert.deepEqual(stage.told, []);
  });
});
