import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventQueue, type SessionEvent } from '../../../../../src/worker/tap/watched/event-queue.ts';

/** An owner that notes the number and the bytes of each event. */
class Owner {
  readonly handled: { readonly number: number; readonly bytes: string }[] = [];
  readonly #afterEach: () => void;

  constructor(afterEach: () => void = () => undefined) {
    this.#afterEach = afterEach;
  }

  handle({ messages, bytes, start, end }: SessionEvent): void {
    this.handled.push({ number: messages, bytes: bytes.toString('latin1', start, end) });
    this.#afterEach();
  }
}

class Rig {
  now = 1000;
  due = 0;
  readonly queue = new EventQueue(
    () => this.now,
    () => this.due++,
  );
  readonly owner: Owner;
  #last = 0;

  constructor(msPerEvent = 0) {
    this.owner = new Owner(() => (this.now += msPerEvent));
  }

  /** Adds an event with the next number. Returns whether there was room. */
  add(bytes: Uint8Array | string = '', isForced = true): boolean {
    const input = Buffer.from(bytes);
    this.#last++;
    const event = this.queue.add(input.length, isForced);
    if (event === null) return false;
    event.owner = this.owner;
    event.messages = this.#last;
    event.append(input, 0, input.length);
    // Like the buffer of the next read.
    input.fill(0);
    return true;
  }

  get numbers(): number[] {
    return this.owner.handled.map(({ number }) => number);
  }
}

describe('a queue of events for taps', () => {
  it('keeps a copy of the bytes, and the order', () => {
    const rig = new Rig();
    rig.add('one');
    rig.add('two');
    rig.add();
    assert.deepEqual(rig.numbers, []);
    assert.ok(rig.queue.handleUntil(Infinity));
    assert.ok(rig.queue.isEmpty);
    assert.deepEqual(
      rig.owner.handled.map(({ bytes }) => bytes),
      ['one', 'two', ''],
    );
  });

  it('stops at a time, after at least one event', () => {
    const rig = new Rig(0.1);
    for (let event = 0; event < 10; event++) rig.add('x');
    assert.ok(!rig.queue.handleUntil(rig.now + 0.25));
    assert.equal(rig.numbers.length, 3);
    assert.ok(!rig.queue.handleUntil(rig.now - 1));
    assert.equal(rig.numbers.length, 4);
    assert.ok(rig.queue.handleUntil(Infinity));
    assert.deepEqual(
      rig.numbers,
      Array.from({ length: 10 }, (_, index) => index + 1),
    );
  });

  it('handles its oldest events for room for another one, by number and by bytes', () => {
    const byNumber = new Rig();
    for (let event = 0; event < 5000; event++) byNumber.add('x');
    assert.equal(byNumber.numbers.length, 5000 - 4096);
    const byBytes = new Rig();
    const read = Buffer.alloc(100_000, 'y');
    for (let event = 0; event < 30; event++) byBytes.add(read);
    assert.ok(byBytes.numbers.length >= 20 && byBytes.numbers.length < 30, `${byBytes.numbers.length}`);
  });

  it('has no room for more bytes than its memory', () => {
    const rig = new Rig();
    rig.add('before');
    assert.ok(!rig.add(Buffer.alloc(1024 * 1024 + 1)));
    assert.ok(rig.add(Buffer.alloc(1024 * 1024)));
    assert.ok(rig.queue.handleUntil(Infinity));
    assert.deepEqual(
      rig.owner.handled.map(({ bytes }) => bytes.length),
      [6, 1024 * 1024],
    );
  });

  it('makes room for a moment only, because its session waits, unless it must', () => {
    const rig = new Rig(0.1);
    for (let event = 0; event < 4000; event++) rig.add(Buffer.alloc(260));
    const large = Buffer.alloc(200_000);
    assert.ok(!rig.add(large, false));
    assert.ok(rig.numbers.length <= 3, String(rig.numbers.length));
    assert.ok(rig.add(large, true));
    assert.ok(rig.numbers.length > 300, String(rig.numbers.length));
  });

  it('keeps the held part of a frame before the other bytes', () => {
    const rig = new Rig();
    const event = rig.queue.add(5, true)!;
    let seen = '';
    event.owner = {
      handle: ({ heldPart, bytes, start, end }) => {
        seen = `${Buffer.from(heldPart).toString()}|${bytes.toString('latin1', start, end)}`;
      },
    };
    event.appendHeldPart(Buffer.from('ab'));
    event.append(Buffer.from('xcdey'), 1, 4);
    rig.queue.handleUntil(Infinity);
    assert.equal(seen, 'ab|cde');
  });

  it('handles the other events after an owner threw', () => {
    const rig = new Rig();
    const event = rig.queue.add(0, true)!;
    event.owner = {
      handle: () => {
        throw new Error('a fault');
      },
    };
    rig.add('x');
    assert.throws(() => rig.queue.handleUntil(Infinity), /a fault/);
    assert.ok(rig.queue.handleUntil(Infinity));
    assert.deepEqual(rig.numbers, [1]);
  });

  it('hands out the bytes of each event unchanged, for all lengths and times of handling', () => {
    const step = fc.record({
      size: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 400_000 })),
      handled: fc.option(fc.nat({ max: 6 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rig = new Rig(1);
        const sizes = steps.map(({ size, handled }, index) => {
          rig.add(Buffer.alloc(size, index + 1));
          if (handled !== null) rig.queue.handleUntil(rig.now + handled);
          return size;
        });
        rig.queue.handleUntil(Infinity);
        assert.equal(rig.owner.handled.length, sizes.length);
        rig.owner.handled.forEach(({ number, bytes }, index) => {
          assert.equal(number, index + 1);
          assert.equal(bytes, String.fromCharCode(index + 1).repeat(sizes[index]!));
        });
      }),
      { numRuns: 100 },
    );
  });

  it('asks for work at most once in 10 ms, while events arrive', () => {
    const rig = new Rig();
    for (let event = 0; event < 100; event++) {
      rig.queue.workIfDue(rig.now);
      rig.now++;
    }
    assert.equal(rig.due, 10);
  });

  it('works again after its memory was freed', () => {
    const rig = new Rig();
    rig.add('x');
    rig.queue.handleUntil(Infinity);
    rig.queue.free();
    rig.add('y');
    rig.queue.handleUntil(Infinity);
    assert.equal(rig.owner.handled.at(-1)?.bytes, 'y');
  });
});
