import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { SessionDeadlines } from '../../../../src/l7/websocket/session-deadlines.ts';

interface Terms {
  readonly wheel: TimerWheel;
  readonly settings: { readonly idleTimeoutMs: number; readonly maxLifetimeMs: number };
}

/** Deadlines that write down which of them have passed. */
class Deadlines extends SessionDeadlines<Terms> {
  readonly passed: string[] = [];
  isEndpointPaused = false;
  isClientPaused = false;
  override pingEndpoint(): void {
    this.#note('ping');
  }
  override pingClient(): void {
    this.#note('client ping');
  }
  override clientTimedOut(): void {
    this.#note('client idle');
    this.markEnded();
  }
  override endpointTimedOut(): void {
    this.#note('idle');
  }
  override lifetimePassed(): void {
    this.#note('lifetime');
  }
  override closeTimeoutPassed(): void {
    this.#note('close');
  }

  #note(text: string): void {
    this.passed.push(`${text} at ${this.context.wheel.now}`);
  }
}

/** The deadlines of a session that has begun now. */
class Stage {
  readonly wheel = new TimerWheel(0);
  readonly deadlines: Deadlines;

  constructor({ idleTimeoutMs = 0, maxLifetimeMs = 0, random = 0.5, watchesClient = false } = {}) {
    const terms = { wheel: this.wheel, settings: { idleTimeoutMs, maxLifetimeMs } };
    this.deadlines = new Deadlines(terms, watchesClient, random);
    this.deadlines.armDeadlines();
  }

  get passed(): string[] {
    return this.deadlines.passed;
  }

  end(): void {
    this.deadlines.markEnded();
    this.deadlines.awaitClose();
  }

  /** Lets time pass tick by tick. */
  run(ms: number): void {
    for (const end = this.wheel.now + ms; this.wheel.now < end;) this.wheel.advance(this.wheel.now + 100);
  }
}

describe('the idle timeout of an endpoint', () => {
  it('pings at its half, and passes at its end', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.run(10_000);
    assert.deepEqual(stage.passed, ['ping at 5000', 'idle at 10000']);
  });

  it('begins again with each byte of the endpoint', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    for (let count = 0; count < 10; count++) {
      stage.run(4000);
      stage.deadlines.endpointHeard();
    }
    assert.deepEqual(stage.passed, []);
    stage.run(5100);
    stage.deadlines.endpointHeard();
    stage.run(5100);
    assert.deepEqual(stage.passed, ['ping at 45000', 'ping at 50100']);
  });

  it('does not pass while the endpoint is paused, and counts from its resumption', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.deadlines.isEndpointPaused = true;
    stage.run(60_000);
    assert.equal(stage.passed.length, 0);
    stage.deadlines.isEndpointPaused = false;
    stage.deadlines.endpointHeard();
    stage.run(9000);
    assert.ok(stage.passed.every((text) => text.startsWith('ping')));
    stage.run(1100);
    assert.ok(stage.passed.at(-1)?.startsWith('idle at 70'));
  });

  it('of 0 never passes', () => {
    const stage = new Stage();
    stage.run(100_000);
    assert.deepEqual(stage.passed, []);
  });
});

describe('the idle timeout of a client', () => {
  it('pings at its half and passes at its end, whatever the endpoint sends', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, watchesClient: true });
    for (let count = 0; count < 10; count++) {
      stage.run(1000);
      stage.deadlines.endpointHeard();
    }
    assert.deepEqual(stage.passed, ['client ping at 5000', 'client idle at 10000']);
  });

  it('begins again with each byte of the client', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, watchesClient: true });
    for (let count = 0; count < 10; count++) {
      stage.run(4000);
      stage.deadlines.clientHeard();
      stage.deadlines.endpointHeard();
    }
    assert.deepEqual(stage.passed, []);
  });

  it('does not pass while the client is paused', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, watchesClient: true });
    stage.deadlines.isClientPaused = true;
    for (let count = 0; count < 10; count++) {
      stage.run(4000);
      stage.deadlines.endpointHeard();
    }
    assert.equal(stage.passed.length, 0);
    stage.deadlines.isClientPaused = false;
    stage.deadlines.clientHeard();
    stage.run(10_000);
    assert.deepEqual(
      stage.passed.filter((text) => text.startsWith('client')),
      ['client ping at 45000', 'client idle at 50000'],
    );
  });

  it('is not watched if the engine does it', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.deadlines.isEndpointPaused = true;
    stage.run(30_000);
    assert.deepEqual(stage.passed, []);
  });
});

describe('the lifetime of a session', () => {
  for (const [random, ms] of [
    [0, 900_000],
    [0.5, 1_000_000],
    [1, 1_100_000],
  ] as const) {
    it(`of 1,000,000 ms passes after ${ms} ms for the random number ${random}`, () => {
      const stage = new Stage({ maxLifetimeMs: 1_000_000, random });
      stage.run(1_200_000);
      assert.equal(stage.passed[0], `lifetime at ${ms}`);
    });
  }

  it('passes however much the endpoint sends', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, maxLifetimeMs: 20_000 });
    for (let count = 0; count < 10; count++) {
      stage.deadlines.endpointHeard();
      stage.run(2000);
    }
    assert.deepEqual(stage.passed, ['lifetime at 20000']);
  });
});

describe('a session that closes', () => {
  it('does not count as open any more', () => {
    const { deadlines } = new Stage();
    assert.ok(!deadlines.hasEnded);
    deadlines.markEnded();
    deadlines.endpointHeard();
    assert.ok(deadlines.hasEnded);
  });

  it('gives the endpoint 5 seconds, and no other deadline holds', () => {
    const stage = new Stage({ idleTimeoutMs: 2000, maxLifetimeMs: 3000 });
    stage.end();
    stage.run(10_000);
    assert.deepEqual(stage.passed, ['close at 5000']);
  });

  it('hears of no deadline after they have been stopped', () => {
    const stage = new Stage({ idleTimeoutMs: 2000, maxLifetimeMs: 3000 });
    stage.end();
    stage.deadlines.disarmDeadlines();
    stage.run(10_000);
    assert.deepEqual(stage.passed, []);
  });
});
