import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener, TicketSettings } from '../../../../src/config/types/listener.ts';
import { TicketKeyRing } from '../../../../src/core/ticket-key-ring.ts';
import { TicketKeys, type HandoverKeys } from '../../../../src/primary/tickets/ticket-keys.ts';
import { l4Listener, l7Listener, listenerTls } from '../fixtures/config.ts';

const HOUR_MS = 3_600_000;

/** A clock that the test moves, with at most one timer. */
class FakeClock {
  time = 1000;
  timers: { at: number; run: () => void }[] = [];

  readonly now = (): number => this.time;

  readonly delay = (run: () => void, ms: number): (() => void) => {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  };

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      assert.ok(this.timers.length <= 1, `${this.timers.length} timers`);
      const [timer] = this.timers;
      if (timer === undefined || timer.at > end) break;
      this.timers = [];
      this.time = timer.at;
      timer.run();
    }
    this.time = end;
  }
}

function rotate(hours: number): TicketSettings {
  return { kind: 'rotate', rotateMs: hours * HOUR_MS };
}

function file(...fills: number[]): TicketSettings {
  const keys = fills.map((fill) => key(fill).toString('base64'));
  return { kind: 'file', keyFile: '/keys', keys };
}

function key(fill: number): Buffer {
  return Buffer.alloc(80, fill);
}

function secure(tickets: TicketSettings, name = 'web'): L7Listener {
  return { ...l7Listener, name, engine: 'raw', tls: { ...listenerTls(), tickets } };
}

function setup(
  listeners: readonly L7Listener[],
  inherited: HandoverKeys = new Map(),
): { keys: TicketKeys; clock: FakeClock; ring: (name?: string) => TicketKeyRing } {
  const clock = new FakeClock();
  const keys = new TicketKeys(listeners, { clock, inherited });
  return { keys, clock, ring: (name = 'web') => new TicketKeyRing(keys.memories.get(name)) };
}

describe('the ticket keys of the process', () => {
  it('exist for each listener with TLS, except uWebSockets.js, and differ', () => {
    const all = [secure(rotate(12)), secure(rotate(12), 'other'), l7Listener, l4Listener];
    const keys = new TicketKeys([...all, { ...secure(rotate(12), 'uws'), engine: 'uws' }]);
    assert.deepEqual([...keys.memories.keys()], ['web', 'other']);
    const [web, other] = [...keys.memories.values()].map((memory) => new TicketKeyRing(memory).keys);
    assert.deepEqual([web!.length, other!.length], [1, 1]);
    assert.notDeepEqual(web, other);
  });

  it('are replaced at the interval, and the old key still decrypts for one interval', () => {
    const { clock, ring, keys } = setup([secure(rotate(12))]);
    const seen = ring();
    const [first] = seen.keys;
    clock.advance(12 * HOUR_MS - 1);
    assert.deepEqual(seen.keys, [first]);
    assert.deepEqual(keys.ages(), [{ listener: 'web', seconds: 12 * 3600 - 0.001 }]);
    clock.advance(1);
    const [second, ...older] = seen.keys;
    assert.deepEqual(older, [first]);
    assert.notDeepEqual(second, first);
    assert.deepEqual(keys.ages(), [{ listener: 'web', seconds: 0 }]);
    clock.advance(12 * HOUR_MS);
    assert.deepEqual(seen.keys.slice(1), [second]);
  });

  it('are all new if the process was suspended for an interval', () => {
    const { clock, ring } = setup([secure(rotate(1))]);
    const [first] = ring().keys;
    const [timer] = clock.timers;
    clock.time += 2 * HOUR_MS;
    clock.timers = [];
    timer!.run();
    assert.equal(ring().keys.length, 1);
    assert.notDeepEqual(ring().keys, [first]);
  });

  it("are replaced in time if the interval exceeds Node's max timer", () => {
    const { clock, ring } = setup([secure(rotate(1000))]);
    const [first] = ring().keys;
    assert.equal(clock.timers[0]!.at, clock.time + 2 ** 31 - 1);
    clock.advance(1000 * HOUR_MS - 1);
    assert.deepEqual(ring().keys, [first]);
    clock.advance(1);
    assert.deepEqual(ring().keys.slice(1), [first]);
  });

  it('survive a reload, in the same memory and with the same schedule', () => {
    const { keys, clock, ring } = setup([secure(rotate(12))]);
    const memory = keys.memories.get('web');
    const before = ring().keys;
    clock.advance(11 * HOUR_MS);
    const plan = keys.plan([secure(rotate(12)), secure(rotate(1), 'new')]);
    assert.equal(plan.memories.get('web'), memory);
    plan.commit();
    assert.equal(keys.memories.get('web'), memory);
    assert.deepEqual(ring().keys, before);
    clock.advance(HOUR_MS);
    assert.deepEqual(ring().keys.slice(1), before);
    assert.equal(ring('new').keys.length, 2);
  });

  it('change at once if the new interval has already passed', () => {
    const { keys, clock, ring } = setup([secure(rotate(12))]);
    const [first] = ring().keys;
    clock.advance(5 * HOUR_MS);
    keys.plan([secure(rotate(4))]).commit();
    assert.deepEqual(ring().keys.slice(1), [first]);
  });

  it('stay if a plan is not committed, and a new listener has keys before its commit', () => {
    const { keys, ring } = setup([secure(rotate(12))]);
    const before = ring().keys;
    const plan = keys.plan([secure(file(1)), secure(file(2), 'new')]);
    assert.deepEqual(new TicketKeyRing(plan.memories.get('new')).keys, [key(2)]);
    assert.deepEqual(ring().keys, before);
    assert.deepEqual([...keys.memories.keys()], ['web']);
  });

  it('come from the file, and change with it', () => {
    const { keys, clock, ring } = setup([secure(file(1, 2))]);
    const seen = ring();
    const before = seen.keys;
    assert.deepEqual(before, [key(1), key(2)]);
    clock.advance(100 * HOUR_MS);
    keys.plan([secure(file(1, 2))]).commit();
    assert.equal(seen.keys, before);
    keys.plan([secure(file(1, 2, 3))]).commit();
    assert.deepEqual(seen.keys, [key(1), key(2), key(3)]);
    assert.deepEqual(keys.ages(), [{ listener: 'web', seconds: 360_000 }]);
    keys.plan([secure(file(3, 1))]).commit();
    assert.deepEqual(seen.keys, [key(3), key(1)]);
    assert.deepEqual(keys.ages(), [{ listener: 'web', seconds: 0 }]);
  });

  it('are all replaced when a listener changes between a file and an interval', () => {
    const { keys, clock, ring } = setup([secure(rotate(12))]);
    const seen = ring();
    keys.plan([secure(file(1))]).commit();
    assert.deepEqual(seen.keys, [key(1)]);
    assert.deepEqual(clock.timers, []);
    keys.plan([secure(rotate(12))]).commit();
    assert.equal(seen.keys.length, 1);
    assert.notDeepEqual(seen.keys, [key(1)]);
    assert.equal(clock.timers.length, 1);
  });

  it('are new if a listener loses TLS and gets it back', () => {
    const { keys, clock, ring } = setup([secure(rotate(12))]);
    const before = ring().keys;
    keys.plan([l7Listener]).commit();
    assert.deepEqual([[...keys.memories.keys()], clock.timers], [[], []]);
    keys.plan([secure(rotate(12))]).commit();
    assert.notDeepEqual(ring().keys, before);
  });

  it('of another process keep their age', () => {
    const inherited = new Map([['web', { keys: [key(1), key(2), key(3)], ageMs: 11 * HOUR_MS }]]);
    const { keys, clock, ring } = setup([secure(rotate(12)), secure(rotate(12), 'other')], inherited);
    assert.deepEqual(ring().keys, [key(1), key(2)]);
    assert.deepEqual(
      keys.ages().map(({ seconds }) => seconds),
      [11 * 3600, 0],
    );
    clock.advance(HOUR_MS);
    assert.deepEqual(ring().keys.slice(1), [key(1)]);
    assert.equal(ring('other').keys.length, 1);
  });

  it('of another process do not replace keys from a file, and are dropped if they are too old', () => {
    const inherited = new Map([
      ['web', { keys: [key(1)], ageMs: 0 }],
      ['old', { keys: [key(2)], ageMs: 24 * HOUR_MS }],
    ]);
    const { ring } = setup([secure(file(9)), secure(rotate(12), 'old')], inherited);
    assert.deepEqual(ring().keys, [key(9)]);
    assert.equal(ring('old').keys.length, 1);
    assert.notDeepEqual(ring('old').keys, [key(2)]);
  });

  it('for another process are the rotating ones, with their age', () => {
    const { keys, clock, ring } = setup([secure(rotate(12)), secure(file(9), 'file')]);
    clock.advance(13 * HOUR_MS);
    const bequest = keys.handoverKeys();
    assert.deepEqual([...bequest.keys()], ['web']);
    assert.deepEqual(bequest.get('web'), { keys: ring().keys, ageMs: HOUR_MS });
  });
});
