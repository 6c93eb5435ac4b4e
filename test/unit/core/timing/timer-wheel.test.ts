import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TICK_MS, Timed, TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';

/** Enough ticks for the wheel to have turned once, whatever its size within reason. */
const FAR = 5000 * TICK_MS;

class Probe extends Timed {
  /** The wheel's time at each expiry. */
  readonly expiries: number[] = [];
  readonly #wheel: TimerWheel;
  readonly #then: (() => void) | null;

  constructor(wheel: TimerWheel, then: (() => void) | null = null) {
    super();
    this.#wheel = wheel;
    this.#then = then;
  }

  override expire(): void {
    this.expiries.push(this.#wheel.now);
    this.#then?.();
  }
}

const STEP = TICK_MS / 4;

/** Moves the wheel's clock on in small steps. */
function run(wheel: TimerWheel, ms: number): void {
  const end = wheel.now + ms;
  while (wheel.now < end) wheel.advance(Math.min(end, wheel.now + STEP));
}

describe('a deadline', () => {
  it('expires once, never early, and late by less than a tick plus the time between two advances', () => {
    for (const ms of [0, 1, 99, 100, 101, 150, 1000, 102_400, 102_401, 250_000]) {
      for (const start of [0, 17, 123_456.75]) {
        const wheel = new TimerWheel(start);
        const probe = new Probe(wheel);
        wheel.advance(start + 30);
        const due = wheel.now + ms;
        wheel.arm(probe, ms);
        run(wheel, ms + 3 * TICK_MS);
        assert.equal(probe.expiries.length, 1, `${ms} ms`);
        const late = probe.expiries[0]! - due;
        assert.ok(late >= 0 && late < TICK_MS + STEP, `${ms} ms: ${late} ms late`);
      }
    }
  });

  it('expires after a long stall of the clock, near or far', () => {
    for (const stall of [FAR, 10 * FAR]) {
      const wheel = new TimerWheel(0);
      const probes = [0, 1, 100, 5000, 102_400, 200_000, FAR - TICK_MS].map((ms) => {
        const probe = new Probe(wheel);
        wheel.arm(probe, ms);
        return probe;
      });
      const later = new Probe(wheel);
      wheel.arm(later, 20 * FAR);
      wheel.advance(stall);
      for (const probe of probes) assert.deepEqual(probe.expiries, [stall]);
      assert.deepEqual(later.expiries, []);
      run(wheel, FAR);
      for (const probe of probes) assert.equal(probe.expiries.length, 1);
      wheel.advance(20 * FAR);
      assert.deepEqual(later.expiries, [20 * FAR]);
    }
  });

  it('expires after a stall of any length, from any slot', () => {
    for (const ticks of [1023, 1024, 1025, 2048, 5000]) {
      const wheel = new TimerWheel(0);
      wheel.advance(700);
      const probes = Array.from({ length: 1023 }, (_, index) => {
        const probe = new Probe(wheel);
        wheel.arm(probe, (index + 1) * TICK_MS);
        return probe;
      });
      const end = 700 + ticks * TICK_MS;
      wheel.advance(end);
      for (const { expiries } of probes) assert.deepEqual(expiries, [end], `a stall of ${ticks} ticks`);
    }
  });

  it('does not expire after it is disarmed', () => {
    const wheel = new TimerWheel(0);
    const probe = new Probe(wheel);
    wheel.disarm(probe);
    wheel.arm(probe, 200);
    wheel.disarm(probe);
    wheel.disarm(probe);
    run(wheel, FAR);
    assert.deepEqual(probe.expiries, []);
  });

  it('is replaced by the next one', () => {
    const wheel = new TimerWheel(0);
    const probe = new Probe(wheel);
    wheel.arm(probe, 200);
    wheel.arm(probe, 5000);
    run(wheel, 4900);
    assert.deepEqual(probe.expiries, []);
    run(wheel, 200);
    assert.equal(probe.expiries.length, 1);
    wheel.arm(probe, 5000);
    wheel.arm(probe, 200);
    run(wheel, 300);
    assert.equal(probe.expiries.length, 2);
    run(wheel, FAR);
    assert.equal(probe.expiries.length, 2);
  });

  it('in the past is due at the next tick', () => {
    const wheel = new TimerWheel(0);
    const probe = new Probe(wheel);
    wheel.advance(1000);
    wheel.arm(probe, -500);
    assert.deepEqual(probe.expiries, []);
    wheel.advance(1100);
    assert.deepEqual(probe.expiries, [1100]);
  });

  it('leaves no trace in its entry afterwards', () => {
    const wheel = new TimerWheel(0);
    const probes = Array.from({ length: 3 }, () => new Probe(wheel));
    for (const probe of probes) wheel.arm(probe, 200);
    wheel.disarm(probes[1]!);
    run(wheel, 400);
    for (const { wheelTick, wheelNext, wheelPrevious } of probes) {
      assert.deepEqual([wheelTick, wheelNext, wheelPrevious], [-1, null, null]);
    }
  });
});

describe('an entry that expires', () => {
  it('is disarmed, and can be armed again', () => {
    const wheel = new TimerWheel(0);
    const ticks: number[] = [];
    const probe: Probe = new Probe(wheel, () => {
      ticks.push(probe.wheelTick);
      if (ticks.length < 4) wheel.arm(probe, 250);
    });
    wheel.arm(probe, 250);
    run(wheel, 5000);
    assert.deepEqual(ticks, [-1, -1, -1, -1]);
    assert.deepEqual(probe.expiries, [300, 600, 900, 1200]);
  });

  it('can be armed again a whole turn or more away without being called at once', () => {
    const wheel = new TimerWheel(0);
    const turn = 1024 * TICK_MS;
    const probe: Probe = new Probe(wheel, () => wheel.arm(probe, turn));
    wheel.arm(probe, 500);
    run(wheel, 500 + turn);
    assert.deepEqual(probe.expiries, [500, 500 + turn]);
  });

  it('can be armed for now repeatedly without blocking the clock', () => {
    const wheel = new TimerWheel(0);
    const probe: Probe = new Probe(wheel, () => wheel.arm(probe, 0));
    wheel.arm(probe, 0);
    wheel.advance(1000);
    assert.ok(probe.expiries.length <= 11, String(probe.expiries.length));
    run(wheel, 1000);
    assert.ok(probe.expiries.length >= 9);
  });

  it('can disarm any others of its slot', () => {
    for (let disarming = 0; disarming < 5; disarming++) {
      for (let from = 0; from < 5; from++) {
        for (let to = from; to < 5; to++) {
          const wheel = new TimerWheel(0);
          const order: number[] = [];
          const probes: Probe[] = Array.from({ length: 5 }, (_, number) => {
            return new Probe(wheel, () => {
              order.push(number);
              if (number === disarming) for (let i = from; i <= to; i++) wheel.disarm(probes[i]!);
            });
          });
          for (const probe of probes) wheel.arm(probe, 500);
          run(wheel, FAR);
          const before = order.slice(0, order.indexOf(disarming) + 1);
          const expected = [0, 1, 2, 3, 4].filter((i) => before.includes(i) || i < from || i > to);
          assert.deepEqual([...order].sort(), expected, `${disarming} disarms ${from} to ${to}`);
        }
      }
    }
  });

  it('can arm other entries of its slot again', () => {
    for (let arming = 0; arming < 4; arming++) {
      for (let other = 0; other < 4; other++) {
        const wheel = new TimerWheel(0);
        const probes: Probe[] = Array.from({ length: 4 }, (_, number) => {
          return new Probe(wheel, () => {
            if (number === arming && wheel.now === 500) wheel.arm(probes[other]!, 1000);
          });
        });
        for (const probe of probes) wheel.arm(probe, 500);
        run(wheel, FAR);
        for (const [number, { expiries }] of probes.entries()) {
          if (number !== other) assert.deepEqual(expiries, [500]);
          else assert.equal(expiries.at(-1), 1500, `${arming} arms ${other}`);
        }
      }
    }
  });
});

describe('a visit of a slot', () => {
  it('visits each of its entries a bounded number of times', () => {
    const wheel = new TimerWheel(0);
    let looks = 0;
    const add = (ms: number): void => {
      const probe = new Probe(wheel);
      let tick = -1;
      Object.defineProperty(probe, 'wheelTick', {
        get: () => {
          looks++;
          return tick;
        },
        set: (value: number) => {
          tick = value;
        },
      });
      wheel.arm(probe, ms);
    };
    const turn = 1024 * TICK_MS;
    for (let count = 0; count < 500; count++) add(500);
    for (let count = 0; count < 500; count++) add(500 + turn);
    looks = 0;
    wheel.advance(500);
    assert.ok(looks <= 8 * 1000, `${looks} looks at 1000 entries`);
  });
});

/** The effect of an entry of the model when it expires. */
interface Deed {
  readonly arm: boolean;
  readonly entry: number;
  readonly ms: number;
}

const ENTRIES = 8;
const entry = fc.nat(ENTRIES - 1);
const delay = fc.oneof(fc.constantFrom(0, 100, 200, 500, 102_400, 102_500), fc.nat(1000), fc.nat(400_000));
const deed: fc.Arbitrary<Deed> = fc.record({ arm: fc.boolean(), entry, ms: delay });
const command = fc.oneof(
  fc.record({ kind: fc.constant('arm' as const), entry, ms: delay }),
  fc.record({ kind: fc.constant('disarm' as const), entry }),
  fc.record({
    kind: fc.constant('advance' as const),
    ms: fc.oneof(
      { weight: 3, arbitrary: fc.nat(250) },
      fc.constantFrom(100, 500),
      fc.nat(5000),
      fc.constantFrom(102_300, 102_400, 102_500, 1_000_000),
    ),
  }),
);

describe('a timer wheel', () => {
  it('behaves like a plain list of deadlines, whatever expiring entries do', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 60 }),
        fc.array(fc.array(deed, { maxLength: 4 }), { minLength: ENTRIES, maxLength: ENTRIES }),
        fc.constantFrom(0, 50, 123_456),
        (commands, deeds, start) => {
          const wheel = new TimerWheel(start);
          const due = new Map<number, number>();
          const left = deeds.map((list) => [...list]);
          const arm = (number: number, ms: number): void => {
            wheel.arm(probes[number]!, ms);
            due.set(number, wheel.now + ms);
          };
          const disarm = (number: number): void => {
            wheel.disarm(probes[number]!);
            due.delete(number);
          };
          const probes = deeds.map((_, number) => {
            return new Probe(wheel, () => {
              const deadline = due.get(number);
              assert.ok(deadline !== undefined, 'expired without being armed');
              assert.ok(deadline <= wheel.now, `${deadline - wheel.now} ms early`);
              assert.equal(probes[number]!.wheelTick, -1);
              due.delete(number);
              // Each deed is done once, so that the model ends.
              const next = left[number]!.shift();
              if (next === undefined) return;
              if (next.arm) arm(next.entry, next.ms);
              else disarm(next.entry);
            });
          });
          for (const step of commands) {
            if (step.kind === 'arm') arm(step.entry, step.ms);
            else if (step.kind === 'disarm') disarm(step.entry);
            else wheel.advance(wheel.now + step.ms);
            for (const [number, deadline] of due) {
              assert.ok(wheel.now - deadline <= TICK_MS, `entry ${number} is more than a tick late`);
              assert.ok(probes[number]!.wheelTick >= 0);
            }
          }
          wheel.advance(wheel.now + 10_000_000);
          wheel.advance(wheel.now + 10_000_000);
          const rest = left.flat().length;
          if (rest === 0) assert.equal(due.size, 0);
        },
      ),
      { numRuns: 400 },
    );
  });
});
