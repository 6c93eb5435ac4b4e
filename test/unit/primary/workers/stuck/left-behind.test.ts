import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeftBehind } from '../../../../../src/primary/workers/stuck/left-behind.ts';
import type { WorkerKind } from '../../../../../src/protocol/to-worker.ts';
import { capture } from '../../fixtures/config.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everything that is done to a stuck worker, in order. */
class Stage {
  readonly done: string[] = [];
  readonly log = capture();
  /** Whether the system lets a socket of another thread stop listening. */
  stops = true;
  readonly leftBehind = new LeftBehind<ReturnType<Stage['slot']>>(this.log.log, {
    dropNewConnections: (fd) => this.done.push(`drop ${fd}`) > 0,
    stopListening: (fd) => {
      this.done.push(`stop ${fd}`);
      return this.stops;
    },
  });

  slot(kind: WorkerKind, listeningSockets: readonly number[]) {
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    return {
      name: `${kind}-0`,
      kind,
      listeningSockets,
      ended,
      end: () => resolve(undefined),
      terminate: () => void this.done.push('terminate'),
      close: () => void this.done.push('close'),
    };
  }

  add(slot: ReturnType<Stage['slot']>, hasSiblings: boolean, replaced: Promise<unknown> | null): void {
    this.leftBehind.add(slot, {
      hasSiblings,
      replace: () => {
        this.done.push('replace');
        return replaced;
      },
      onEnded: () => void this.done.push('ended'),
    });
  }

  messages(): string[] {
    return this.log.lines.map(({ level, msg }) => `${level}: ${msg}`);
  }
}

describe('a worker that is left behind', () => {
  it('loses its addresses at once if others serve them, even while its replacement starts', async () => {
    const stage = new Stage();
    stage.add(stage.slot('l7', [7, 8]), true, new Promise(() => undefined));
    await turn();
    assert.deepEqual(stage.done, ['stop 7', 'stop 8', 'replace']);
  });

  it('without siblings is deafened, and loses its addresses when its replacement listens', async () => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    stage.add(stage.slot('l7', [7]), false, promise);
    await turn();
    assert.deepEqual(stage.done, ['drop 7', 'replace']);
    resolve(undefined);
    await turn();
    assert.deepEqual(stage.done, ['drop 7', 'replace', 'stop 7']);
  });

  it('that closes its own sockets endangers no other sockets with their numbers', async () => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const slot = stage.slot('l7', [7, 8]);
    stage.add(slot, false, promise);
    slot.listeningSockets = [8];
    resolve(undefined);
    await turn();
    assert.deepEqual(
      stage.done.filter((step) => step.startsWith('stop')),
      ['stop 8'],
    );
  });

  it('loses its addresses if its replacement fails, or is missing', async () => {
    for (const replaced of [Promise.reject(new Error('no')), null]) {
      const stage = new Stage();
      stage.add(stage.slot('l4', [7]), false, replaced);
      await turn();
      assert.deepEqual(stage.done.filter((step) => step !== 'drop 7'), ['replace', 'stop 7', 'terminate']); // prettier-ignore
    }
  });

  it('is terminated at layer 4, which has no native handles, and never at layer 7', async () => {
    for (const [kind, terminated] of [
      ['l4', true],
      ['l7', false],
    ] as const) {
      // prettier-ignore
      const stage = new Stage();
      stage.add(stage.slot(kind, []), true, null);
      await turn();
      assert.equal(stage.done.includes('terminate'), terminated);
    }
  });

  it('drains instead of being terminated if it recovers while its replacement starts', async () => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const slot = stage.slot('l4', [7]);
    stage.add(slot, false, promise);
    stage.leftBehind.recover(slot);
    resolve(undefined);
    await turn();
    assert.deepEqual(stage.done, ['drop 7', 'replace', 'stop 7']);
    assert.deepEqual(stage.messages(), ['warn: stuck worker recovered, draining']);
  });

  it('prevents replacements at layer 7 only, and only if its thread cannot be terminated', () => {
    const stage = new Stage();
    const [first, second, tunnels] = [stage.slot('l7', []), stage.slot('l7', []), stage.slot('l4', [])];
    for (const slot of [first, second, tunnels]) stage.add(slot, true, null);
    assert.equal(stage.leftBehind.count, 3);
    assert.deepEqual(
      [first, stage.slot('l7', []), tunnels].map((slot) => stage.leftBehind.countAgainst(slot)),
      [1, 2, 0],
    );
  });

  it('does not end the process if its handling throws', async () => {
    const stage = new Stage();
    const slot = stage.slot('l4', []);
    const fail = (): never => {
      throw new Error('broken');
    };
    stage.leftBehind.add(slot, { hasSiblings: true, replace: fail, onEnded: fail });
    await turn();
    slot.end();
    await turn();
    assert.deepEqual(stage.messages(), [
      'error: handling of a stuck worker failed',
      'info: stuck worker ended',
      'error: handling of a stuck worker failed',
    ]);
  });

  it('is counted until its thread has ended, and remains in the total', async () => {
    const stage = new Stage();
    const slots = [stage.slot('l7', []), stage.slot('l7', [])];
    for (const slot of slots) stage.add(slot, true, null);
    assert.deepEqual([stage.leftBehind.count, stage.leftBehind.total('l7-0')], [2, 2]);
    slots[0]!.end();
    await turn();
    assert.deepEqual([stage.leftBehind.count, stage.leftBehind.total('l7-0')], [1, 2]);
    assert.deepEqual(stage.done.slice(-2), ['close', 'ended']);
    assert.deepEqual(stage.leftBehind.slots, [slots[1]]);
    assert.equal(stage.leftBehind.total('l7-1'), 0);
  });

  it('that turns again is listed as recovered until it has ended', async () => {
    const stage = new Stage();
    const slot = stage.slot('l7', []);
    stage.add(slot, true, null);
    assert.deepEqual(stage.leftBehind.recovered, []);
    stage.leftBehind.recover(slot);
    assert.deepEqual(stage.leftBehind.recovered, [slot]);
    slot.end();
    await turn();
    assert.deepEqual(stage.leftBehind.recovered, []);
    stage.leftBehind.recover(slot);
    assert.deepEqual(stage.leftBehind.recovered, []);
  });

  it('that may still get connections causes a warning', async () => {
    const stage = new Stage();
    stage.stops = false;
    stage.add(stage.slot('l7', [7]), true, null);
    await turn();
    assert.deepEqual(stage.messages(), ['warn: some new connections may still reach the stuck worker']);
  });
});
