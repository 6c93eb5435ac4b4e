import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedTable } from '../../../../../src/access/limits/table/shared-table.ts';
import type { LimitSettings } from '../../../../../src/config/types/limits.ts';
import { HOLD, TAKE } from '../../../../../src/primary/access/redis/scripts.ts';
import { TableSync } from '../../../../../src/primary/access/redis/table-sync.ts';
import { LimitRig, requestOf, UNLIMITED } from '../../../access/limits/rig.ts';

/** So slow that what a bucket gains in a round is no unit. */
const SETTINGS: LimitSettings = {
  ...UNLIMITED,
  isShared: true,
  connections: 4,
  handshakes: { perSecond: 1, burst: 10 },
};

const CONNECTIONS: LimitSettings = { ...SETTINGS, handshakes: null };

/** A server that runs the scripts of limits, as far as tests need them. Its data are public. */
class FakeRedis {
  /** Microseconds at which buckets are full. */
  readonly buckets = new Map<string, number>();
  readonly held = new Map<string, Map<string, number>>();
  /** Keys of each call. */
  readonly calls: (readonly string[])[] = [];
  now = 1000;
  isAway = false;
  hasScripts = true;
  /** Takes the place of answers, if it is set. */
  reply: unknown;

  send(args: readonly string[]): Promise<unknown> {
    const [command, script, count, ...rest] = args;
    if (this.isAway) return Promise.reject(new Error('Redis is away'));
    if (command === 'EVALSHA' && !this.hasScripts) return Promise.reject(new Error('NOSCRIPT none'));
    this.hasScripts = true;
    const keys = rest.slice(0, Number(count));
    const values = rest.slice(Number(count));
    this.calls.push(keys);
    if (this.reply !== undefined) return Promise.resolve(this.reply);
    if (script === TAKE.digest || script === TAKE.text) return Promise.resolve(this.#take(keys, values));
    if (script === HOLD.digest || script === HOLD.text) return Promise.resolve(this.#hold(keys, values));
    return Promise.reject(new Error('ERR unknown script'));
  }

  #take(keys: readonly string[], [max, ...values]: readonly string[]): number[] {
    const now = this.now * 1000;
    return keys.map((key, index) => {
      const [cost = 0, over = 0, known = 0, ceiling = 0] = values.slice(4 * index, 4 * index + 4).map(Number);
      let full = this.buckets.get(key) ?? now + known;
      full = Math.max(Math.min(full, now + Number(max)), now - over);
      full = Math.max(full, Math.min(full + cost, now + ceiling));
      this.buckets.set(key, full);
      return full - now;
    });
  }

  #hold([, ...keys]: readonly string[], [process, ...values]: readonly string[]): number[] {
    return keys.map((key, index) => {
      const held = this.held.get(key) ?? new Map<string, number>();
      this.held.set(key, held.set(process!, Number(values[index])));
      let sum = 0;
      for (const [holder, count] of held) if (holder !== process) sum += count;
      return sum;
    });
  }
}

/** One process, whose clock the server's follows. */
class Machine {
  readonly sync: TableSync;
  readonly #rig = new LimitRig();
  readonly #redis: FakeRedis;
  readonly #set;

  constructor(redis: FakeRedis, name: string, settings = SETTINGS) {
    const memory = this.#rig.memoryFor(settings);
    const { clock } = this.#rig;
    this.#redis = redis;
    this.#set = this.#rig.setOf(this.#rig.limit(settings, memory));
    const parts = { link: redis, prefix: 'test', process: name, clock };
    this.sync = new TableSync({ listener: 'web', settings }, new SharedTable(memory, clock), parts);
  }

  /** Lets a client in. Returns how it leaves, or what refuses. */
  enter(address = '10.0.0.1'): (() => void) | string {
    const holds = this.#set.open();
    const refusal = this.#set.enter('address', requestOf(address), null, holds);
    return refusal === null ? () => holds.release() : refusal.kind;
  }

  /** Admits and removes clients until one is refused. Returns the number of admitted clients. */
  exhaust(address?: string): number {
    for (let admitted = 0; ; admitted++) {
      const leave = this.enter(address);
      if (typeof leave === 'string') return admitted;
      leave();
    }
  }

  async round(): Promise<void> {
    this.sync.collectUsed();
    await this.sync.report();
  }

  pass(ms: number): void {
    this.#rig.pass(ms);
    this.#redis.now = this.#rig.now;
  }
}

function pair(settings = SETTINGS): { redis: FakeRedis; one: Machine; other: Machine } {
  const redis = new FakeRedis();
  return { redis, one: new Machine(redis, 'one', settings), other: new Machine(redis, 'other', settings) };
}

describe('the rounds of a shared limit', () => {
  it('take from the local bucket what was taken elsewhere', async () => {
    const { one, other } = pair();
    (other.enter() as () => void)();
    await other.round();
    assert.equal(one.exhaust(), 10);
    await one.round();
    await other.round();
    assert.equal(other.enter(), 'handshakes');
  });

  it('let a debt be repaid before anybody is admitted', async () => {
    const { one, other } = pair();
    // Neither process knows the other's units yet.
    assert.equal(one.exhaust() + other.exhaust(), 20);
    await one.round();
    await other.round();
    await one.round();
    for (const machine of [one, other]) machine.pass(8000);
    assert.equal(one.enter(), 'handshakes');
    for (const machine of [one, other]) machine.pass(3000);
    assert.equal(typeof one.enter(), 'function');
  });

  it('report each use once', async () => {
    const { redis, one } = pair();
    (one.enter() as () => void)();
    await one.round();
    const before = new Map(redis.buckets);
    await one.round();
    assert.deepEqual(redis.buckets, before);
  });

  it('report 500 keys per call, and 5,000 per round', async () => {
    const redis = new FakeRedis();
    const machine = new Machine(redis, 'one', { ...SETTINGS, connections: null, maxKeys: 8192 });
    for (let index = 0; index < 5600; index++) machine.enter(`10.0.${index >> 8}.${index & 255}`);
    await machine.round();
    assert.deepEqual(
      redis.calls.map(({ length }) => length),
      Array.from({ length: 10 }, () => 500),
    );
    await machine.sync.report();
    assert.equal(new Set(redis.calls.flat()).size, 5600);
  });

  it('report later what they failed to report', async () => {
    const { redis, one, other } = pair();
    (other.enter() as () => void)();
    await other.round();
    assert.equal(one.exhaust(), 10);
    redis.isAway = true;
    await assert.rejects(one.round(), /away/);
    redis.isAway = false;
    await one.round();
    await other.round();
    assert.equal(other.enter(), 'handshakes');
  });

  it('charge at most one bucket for units taken without Redis', async () => {
    const { redis, one, other } = pair();
    for (const machine of [one, other]) {
      (machine.enter() as () => void)();
      await machine.round();
    }
    redis.isAway = true;
    one.exhaust();
    await assert.rejects(one.round(), /away/);
    // The link knows already.
    other.sync.markRedisDown();
    other.exhaust();
    redis.isAway = false;
    for (const machine of [one, other, one]) await machine.round();
    assert.equal(one.enter(), 'handshakes');
    for (const machine of [one, other]) machine.pass(1100);
    assert.equal(typeof one.enter(), 'function');
    for (const machine of [one, other]) machine.pass(1100);
    assert.equal(typeof other.enter(), 'function');
  });

  it('count connections elsewhere, until these are released', async () => {
    const { one, other } = pair(CONNECTIONS);
    const [first] = Array.from({ length: 3 }, () => one.enter()) as (() => void)[];
    await one.round();
    assert.equal(typeof other.enter(), 'function');
    await other.round();
    assert.equal(other.enter(), 'connections');
    first!();
    await one.round();
    // Nothing has happened here for a while, and the key is still asked for.
    other.pass(5000);
    await other.round();
    assert.equal(typeof other.enter(), 'function');
    assert.equal(other.enter(), 'connections');
    one.sync.release();
    await other.round();
    assert.deepEqual([typeof other.enter(), typeof other.enter()], ['function', 'function']);
    assert.equal(other.enter(), 'connections');
  });

  it('report connections again to a server that has lost them', async () => {
    const { redis, one, other } = pair(CONNECTIONS);
    for (let count = 0; count < 4; count++) one.enter();
    await one.round();
    one.pass(5000);
    redis.held.clear();
    redis.hasScripts = false;
    one.sync.reportAllHeld();
    await one.round();
    assert.equal(typeof other.enter(), 'function');
    await other.round();
    assert.equal(other.enter(), 'connections');
  });

  it('report connections later if the first report failed', async () => {
    const { redis, one, other } = pair(CONNECTIONS);
    for (let count = 0; count < 4; count++) one.enter();
    redis.isAway = true;
    await assert.rejects(one.round(), /away/);
    redis.isAway = false;
    one.pass(5000);
    await one.round();
    other.enter();
    await other.round();
    assert.equal(other.enter(), 'connections');
  });

  it('forget a key that is unused and has no connections', async () => {
    const { one } = pair();
    const leave = one.enter() as () => void;
    await one.round();
    one.pass(5000);
    await one.round();
    assert.equal(one.sync.size, 1);
    leave();
    await one.round();
    one.pass(5000);
    await one.round();
    assert.equal(one.sync.size, 0);
  });

  it('count limits with different numbers separately', async () => {
    const redis = new FakeRedis();
    const one = new Machine(redis, 'one');
    const other = new Machine(redis, 'other', { ...SETTINGS, handshakes: { perSecond: 2, burst: 20 } });
    one.exhaust();
    await one.round();
    (other.enter() as () => void)();
    await other.round();
    assert.equal(other.exhaust(), 19);
  });

  it('lose nothing to an invalid answer', async () => {
    const { redis, one, other } = pair();
    (other.enter() as () => void)();
    await other.round();
    one.exhaust();
    for (const reply of ['OK', [], ['a'], [null, {}], [1.5], [1e300]]) {
      redis.reply = reply;
      await assert.rejects(one.round(), /expected numbers/);
    }
    redis.reply = undefined;
    await one.round();
    await other.round();
    assert.equal(other.enter(), 'handshakes');
  });
});
