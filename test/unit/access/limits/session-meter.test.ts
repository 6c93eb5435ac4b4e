import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeteredReader, TrafficMeter } from '../../../../src/access/contract/traffic-meter.ts';
import type { LimitSet } from '../../../../src/access/limits/limit-set.ts';
import { LimitRig, requestOf } from './rig.ts';

const ADDRESS = '10.0.0.1';

function meterOf(set: LimitSet, address = ADDRESS): { meter: TrafficMeter; release: () => void } {
  const holds = set.open();
  assert.equal(set.enter('address', requestOf(address), null, holds), null);
  assert.ok(holds.meter !== null);
  return { meter: holds.meter, release: () => holds.release() };
}

/** A client that always has something to say: reads until the meter says otherwise. */
class EagerReader implements MeteredReader {
  messages = 0;
  isWaiting = false;
  readonly #meter: TrafficMeter;
  readonly #perRead: number;

  constructor(meter: TrafficMeter, perRead: number) {
    this.#meter = meter;
    this.#perRead = perRead;
  }

  resumeReading(): void {
    this.isWaiting = false;
    for (;;) {
      this.messages += this.#perRead;
      if (this.#meter.count(this.#perRead, 0) === 'go') continue;
      this.isWaiting = true;
      this.#meter.wait(this);
      return;
    }
  }
}

/** A client that always has something to say, and is read twice in one event if its limit allows it. */
class EventReader implements MeteredReader {
  bytes = 0;
  #isWaiting = false;
  readonly #meter: TrafficMeter;
  readonly #perRead: number;

  constructor(meter: TrafficMeter, perRead: number) {
    this.#meter = meter;
    this.#perRead = perRead;
  }

  resumeReading(): void {
    this.#isWaiting = false;
  }

  readable(): void {
    for (let read = 0; read < 2 && !this.#isWaiting; read++) {
      this.bytes += this.#perRead;
      if (this.#meter.count(0, this.#perRead) === 'go') continue;
      this.#isWaiting = true;
      this.#meter.wait(this);
    }
  }
}

describe('a meter that closes', () => {
  it('does not delay new sessions, but closes them once they send', () => {
    const set = new LimitRig().set({ messages: { perSecond: 10, burst: 20 } });
    const { meter } = meterOf(set);
    meter.count(40, 0);
    assert.deepEqual([meter.isOverLimit, meterOf(set).meter.count(1, 0)], [false, 'close']);
  });

  it('lets the burst pass, then closes with 1008', () => {
    const rig = new LimitRig();
    const { meter } = meterOf(rig.set({ messages: { perSecond: 10, burst: 20 } }));
    for (let index = 0; index < 20; index++) assert.equal(meter.count(1, 100), 'go');
    assert.equal(meter.count(1, 100), 'close');
    assert.deepEqual(meter.excess, { code: 1008, reason: 'message rate exceeded' });
    assert.deepEqual(rig.refused, ['one messages']);
  });

  it('says which rate was exceeded', () => {
    const rig = new LimitRig();
    const { meter } = meterOf(rig.set({ bytes: { perSecond: 1000, burst: 1000 } }));
    assert.equal(meter.count(1, 1001), 'close');
    assert.deepEqual(meter.excess, { code: 1008, reason: 'byte rate exceeded' });
  });

  it('closes with 1013 if the count is shared with others', () => {
    const rig = new LimitRig();
    const set = rig.set({ maxKeys: 8, messages: { perSecond: 10, burst: 1 } });
    for (let index = 0; index < 100; index++) meterOf(set, `10.0.1.${index}`);
    const before = rig.overflows;
    const { meter } = meterOf(set);
    assert.equal(rig.overflows, before + 1);
    assert.equal(meter.count(2, 0), 'close');
    assert.equal(meter.excess.code, 1013);
  });

  it('is null without limits on what clients send', () => {
    const rig = new LimitRig();
    const set = rig.set({ connections: 1 });
    const holds = set.open();
    set.enter('address', requestOf(ADDRESS), null, holds);
    assert.equal(holds.meter, null);
  });
});

describe('a meter that slows down', () => {
  it('delays a new session of a key in debt, but not of another key', () => {
    const rig = new LimitRig();
    const set = rig.set({ over: 'slow', messages: { perSecond: 100, burst: 50 } });
    const { meter } = meterOf(set);
    assert.equal(meter.isOverLimit, false);
    meter.count(60, 0);
    assert.equal(meterOf(set).meter.isOverLimit, true);
    assert.equal(meterOf(set, '10.0.0.2').meter.isOverLimit, false);
  });

  it('limits a sender to its rate', () => {
    const rig = new LimitRig();
    const { meter } = meterOf(rig.set({ over: 'slow', messages: { perSecond: 100, burst: 50 } }));
    const reader = new EagerReader(meter, 7);
    reader.resumeReading();
    rig.pass(10_000);
    assert.ok(reader.messages >= 1050 - 14 && reader.messages <= 1050 + 14, String(reader.messages));
  });

  it('reaches the rate with reads that are larger than the burst', () => {
    const rig = new LimitRig();
    const { meter } = meterOf(rig.set({ over: 'slow', messages: { perSecond: 1000, burst: 1 } }));
    const reader = new EagerReader(meter, 64);
    reader.resumeReading();
    rig.pass(10_000);
    assert.ok(reader.messages >= 10_000 && reader.messages <= 10_400, String(reader.messages));
  });

  it('divides the rate of a key evenly among its sessions', () => {
    const rig = new LimitRig();
    const set = rig.set({ over: 'slow', messages: { perSecond: 100, burst: 10 } });
    const readers = [1, 2, 3].map(() => new EagerReader(meterOf(set).meter, 5));
    for (const reader of readers) reader.resumeReading();
    rig.pass(30_000);
    for (const { messages } of readers) assert.ok(messages > 900 && messages < 1100, String(messages));
  });

  it('divides the rate evenly if one event brings two reads', () => {
    const rig = new LimitRig();
    const set = rig.set({ over: 'slow', bytes: { perSecond: 1024, burst: 1024 } });
    const readers = [1, 2].map(() => new EventReader(meterOf(set).meter, 64));
    for (let ticks = 0; ticks < 600; ticks++) {
      rig.pass(100);
      for (const reader of readers) reader.readable();
      for (const reader of readers) reader.readable();
    }
    const [first, second] = readers.map(({ bytes }) => bytes);
    assert.ok(Math.abs(first! - second!) < 0.1 * first!, `${first} and ${second}`);
    assert.ok(first! + second! > 0.95 * 60 * 1024, `${first} and ${second}`);
  });

  it('does not slow another key', () => {
    const rig = new LimitRig();
    const set = rig.set({ over: 'slow', messages: { perSecond: 100, burst: 10 } });
    new EagerReader(meterOf(set).meter, 50).resumeReading();
    assert.equal(meterOf(set, '10.0.0.2').meter.count(1, 1), 'go');
  });

  it('never calls back a cancelled or ended session', () => {
    const rig = new LimitRig();
    const set = rig.set({ over: 'slow', messages: { perSecond: 10, burst: 1 } });
    const [first, second] = [meterOf(set), meterOf(set)];
    const readers = [new EagerReader(first.meter, 5), new EagerReader(second.meter, 5)] as const;
    for (const reader of readers) reader.resumeReading();
    const before = readers.map(({ messages }) => messages);
    first.meter.cancelWait(readers[0]);
    second.release();
    rig.pass(60_000);
    assert.deepEqual(
      readers.map(({ messages }) => messages),
      before,
    );
  });

  it('waits until all limits allow more', () => {
    const rig = new LimitRig();
    const set = rig.set(
      { name: 'fast', over: 'slow', messages: { perSecond: 1000, burst: 100 } },
      { name: 'slow', over: 'slow', messages: { perSecond: 10, burst: 1 } },
    );
    const reader = new EagerReader(meterOf(set).meter, 1);
    reader.resumeReading();
    rig.pass(10_000);
    assert.ok(reader.messages >= 100 && reader.messages <= 104, String(reader.messages));
  });
});
