import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { LimitSettings } from '../../../../../src/config/types/limits.ts';
import { HOLD, RENEW, TAKE } from '../../../../../src/primary/access/redis/scripts.ts';
import { SharedLimits, type LimitEntry } from '../../../../../src/primary/access/redis/shared-limits.ts';
import { LimitRig, requestOf, UNLIMITED } from '../../../access/limits/rig.ts';
import { capture } from '../../fixtures/config.ts';

const SETTINGS: LimitSettings = {
  ...UNLIMITED,
  isShared: true,
  connections: 4,
  handshakes: { perSecond: 10, burst: 10 },
};

/** A server that answers as if nobody else used it, and keeps the names of scripts. */
class FakeLink {
  isUp = true;
  /** Whether the lease of the process has not ended. */
  hasLease = true;
  readonly calls: string[] = [];
  #waiting: (() => void)[] | null = null;

  async send(args: readonly string[]): Promise<unknown> {
    const names = new Map([
      [TAKE.digest, 'take'],
      [HOLD.digest, 'hold'],
      [RENEW.digest, 'renew'],
    ]);
    const [command, script, count] = args;
    const name = names.get(script!) ?? command!;
    this.calls.push(name);
    if (!this.isUp) throw new Error('Redis is away');
    if (this.#waiting !== null) await new Promise<void>((settle) => this.#waiting!.push(settle));
    if (name === 'renew') return this.hasLease ? 1 : 0;
    return Array.from({ length: Number(count) - (name === 'hold' ? 1 : 0) }, () => 0);
  }

  /** Answers nothing until {@link release}. */
  hang(): void {
    this.#waiting = [];
  }

  release(): void {
    for (const settle of this.#waiting ?? []) settle();
    this.#waiting = null;
  }

  /** Returns the scripts since the last call. */
  take(): string[] {
    return this.calls.splice(0).toSorted();
  }
}

function world(onFailure: 'local' | 'refuse' = 'local') {
  const rig = new LimitRig();
  const link = new FakeLink();
  const memory = rig.memoryFor(SETTINGS);
  const set = rig.setOf(rig.limit(SETTINGS, memory));
  const entries: LimitEntry[] = [{ listener: 'web', settings: SETTINGS, memory }];
  const shared = new SharedLimits({
    entries: () => entries,
    settings: { prefix: 'test', onFailure },
    link,
    log: capture().log,
    clock: rig.clock,
  });
  const enter = (): string | null => {
    const holds = set.open();
    return set.enter('address', requestOf('10.0.0.1'), null, holds)?.kind ?? null;
  };
  return { rig, link, entries, shared, enter };
}

describe('shared limits', () => {
  // Rounds are called by the tests.
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('refuse 2 s after the last successful round, if configured to', async () => {
    const { rig, link, shared, enter } = world('refuse');
    await shared.round();
    rig.pass(1000);
    link.isUp = false;
    await shared.round();
    assert.equal(shared.isCounting, false);
    assert.equal(enter(), null);
    rig.pass(900);
    await shared.round();
    assert.equal(enter(), null);
    rig.pass(200);
    await shared.round();
    assert.equal(enter(), 'unavailable');
    link.isUp = true;
    await shared.round();
    assert.deepEqual([shared.isCounting, enter()], [true, null]);
  });

  it('count locally while Redis is down, unless they must refuse', async () => {
    const { rig, link, shared, enter } = world();
    link.isUp = false;
    await shared.round();
    rig.pass(60_000);
    await shared.round();
    assert.deepEqual([shared.isCounting, enter()], [false, null]);
  });

  it('renew the lease every 3 s, and report all connections after it has expired', async () => {
    const { rig, link, shared, enter } = world();
    enter();
    await shared.round();
    assert.deepEqual(link.take(), ['hold', 'renew', 'take']);
    rig.pass(2900);
    await shared.round();
    assert.ok(!link.take().includes('renew'));
    link.hasLease = false;
    rig.pass(100);
    await shared.round();
    assert.ok(link.take().includes('renew'));
    await shared.round();
    assert.ok(link.take().includes('hold'));
  });

  it('do not start a round before the last one has ended', async () => {
    const { link, shared, enter } = world();
    enter();
    link.hang();
    const first = shared.round();
    await shared.round();
    assert.deepEqual(link.take(), ['hold', 'renew', 'take']);
    link.release();
    await first;
    assert.equal(shared.isCounting, true);
  });

  it('ignore a limit that is not shared', async () => {
    const { link, entries, shared, enter } = world();
    entries[0] = { ...entries[0]!, settings: { ...SETTINGS, isShared: false } };
    enter();
    await shared.round();
    assert.deepEqual(link.take(), ['renew']);
    assert.equal(shared.keys, 0);
  });

  it('release the connections of a limit that a reload has removed', async () => {
    const { link, entries, shared, enter } = world();
    enter();
    await shared.round();
    link.take();
    entries.length = 0;
    await shared.round();
    assert.deepEqual(link.take(), ['hold']);
  });

  it('release everything at the end, and admit clients again', async () => {
    const { rig, link, shared, enter } = world('refuse');
    link.isUp = false;
    rig.pass(3000);
    await shared.round();
    assert.equal(enter(), 'unavailable');
    link.isUp = true;
    link.take();
    await shared.stop();
    assert.deepEqual(link.take(), ['ZREM']);
    assert.equal(enter(), null);
    await shared.round();
    assert.deepEqual(link.take(), []);
  });
});
