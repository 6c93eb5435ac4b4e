import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { SessionDeadlines } from '../../../../src/l7/websocket/session-deadlines.ts';

interface Terms {
  readonly wheel: TimerWheel;
  readonly settings: { readonly idleTimeoutMs: number; readonly maxLifetimeMs: number };
}

/** Deadlines that write down which of them have passed. */
class Deadlines extends SessionDeadlines<Terms> {
  readonly passed: string[] = [];
  readonly admission = { endsAt: Infinity };
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
  override credentialExpired(): void {
    this.#note('credential');
    this.markEnded();
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

  /** Like {@link run}, but also advances the wall clock, which {@link mock} holds. */
  runBothClocks(ms: number): void {
    for (const end = this.wheel.now + ms; this.wheel.now < end;) {
      mock.timers.setTime(Date.now() + 100);
      this.wheel.advance(this.wheel.now + 100);
    }
  }
}

describe('the idle timeout of an endpoint', () => {
  it('pings at half time, and closes at its end', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.run(10_000);
    assert.deepEqual(stage.passed, ['ping at 5000', 'idle at 10000']);
  });

  it('restarts with each byte from the endpoint', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    for (let count = 0; count < 10; count++) {
      stage.run(4000);
      stage.deadlines.endpointActive();
    }
    assert.deepEqual(stage.passed, []);
    stage.run(5100);
    stage.deadlines.endpointActive();
    stage.run(5100);
    assert.deepEqual(stage.passed, ['ping at 45000', 'ping at 50100']);
  });

  it('stops while the endpoint is paused, and restarts when it resumes', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.deadlines.isEndpointPaused = true;
    stage.run(60_000);
    assert.equal(stage.passed.length, 0);
    stage.deadlines.isEndpointPaused = false;
    stage.deadlines.endpointActive();
    stage.run(9000);
    assert.ok(stage.passed.every((text) => text.startsWith('ping')));
    stage.run(1100);
    assert.ok(stage.passed.at(-1)?.startsWith('idle at 70'));
  });

  it('is disabled at 0', () => {
    const stage = new Stage();
    stage.run(100_000);
    assert.deepEqual(stage.passed, []);
  });
});

describe('the idle timeout of a client', () => {
  it('pings at half time and closes at its end, whatever the endpoint sends', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, watchesClient: true });
    for (let count = 0; count < 10; count++) {
      stage.run(1000);
      stage.deadlines.endpointActive();
    }
    assert.deepEqual(stage.passed, ['client ping at 5000', 'client idle at 10000']);
  });

  it('restarts with each byte from the client', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, watchesClient: true });
    for (let count = 0; count < 10; count++) {
      stage.run(4000);
      stage.deadlines.clientActive();
      stage.deadlines.endpointActive();
    }
    assert.deepEqual(stage.passed, []);
  });

  it('stops while the client is paused', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, watchesClient: true });
    stage.deadlines.isClientPaused = true;
    for (let count = 0; count < 10; count++) {
      stage.run(4000);
      stage.deadlines.endpointActive();
    }
    assert.equal(stage.passed.length, 0);
    stage.deadlines.isClientPaused = false;
    stage.deadlines.clientActive();
    stage.run(10_000);
    assert.deepEqual(
      stage.passed.filter((text) => text.startsWith('client')),
      ['client ping at 45000', 'client idle at 50000'],
    );
  });

  it('is left to an engine that watches clients itself', () => {
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
    it(`of 1,000,000 ms ends after ${ms} ms for the random number ${random}`, () => {
      const stage = new Stage({ maxLifetimeMs: 1_000_000, random });
      stage.run(1_200_000);
      assert.equal(stage.passed[0], `lifetime at ${ms}`);
    });
  }

  it('ends however much the endpoint sends', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000, maxLifetimeMs: 20_000 });
    for (let count = 0; count < 10; count++) {
      stage.deadlines.endpointActive();
      stage.run(2000);
    }
    assert.deepEqual(stage.passed, ['lifetime at 20000']);
  });
});

describe('the credential of a session', () => {
  const NOW = 1_800_000_000_000;
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: NOW }));
  afterEach(() => mock.timers.reset());

  function stageUntil(endsAt: number, idleTimeoutMs = 0): Stage {
    const stage = new Stage({ idleTimeoutMs });
    stage.deadlines.admission.endsAt = endsAt;
    stage.deadlines.armDeadlines();
    return stage;
  }

  it('expires once, by the wall clock', () => {
    const stage = stageUntil(NOW + 12_300);
    stage.runBothClocks(60_000);
    assert.deepEqual(stage.passed, ['credential at 12300']);
  });

  it('expires at the next tick if its time has already passed', () => {
    const stage = stageUntil(NOW - 1);
    stage.runBothClocks(200);
    assert.deepEqual(stage.passed, ['credential at 100']);
  });

  it('expires however much either side sends', () => {
    const stage = stageUntil(NOW + 20_000, 10_000);
    for (let count = 0; count < 15; count++) {
      stage.deadlines.endpointActive();
      stage.runBothClocks(2000);
    }
    assert.deepEqual(stage.passed, ['credential at 20000']);
  });

  it('lives as long as it should if the wall clock is set back', () => {
    const stage = stageUntil(NOW + 10_000);
    mock.timers.setTime(NOW - 30_000);
    stage.runBothClocks(39_900);
    assert.deepEqual(stage.passed, []);
    stage.runBothClocks(100);
    assert.deepEqual(stage.passed, ['credential at 40000']);
  });

  it('expires within a minute if the wall clock is set forward', () => {
    const stage = stageUntil(NOW + 3_600_000);
    mock.timers.setTime(NOW + 7_200_000);
    stage.runBothClocks(60_000);
    assert.deepEqual(stage.passed, ['credential at 60000']);
  });

  it('may expire in a thousand years', () => {
    const stage = stageUntil(NOW + 31_557_600_000_000);
    assert.ok(stage.deadlines.wheelTick <= 600);
    stage.runBothClocks(120_000);
    assert.deepEqual(stage.passed, []);
  });

  for (const [change, byMs, expected] of [
    ['put off', 50_000, ['credential at 60000']],
    ['moved up', -5000, ['credential at 5000']],
  ] as const) {
    it(`expires later or earlier if it is ${change}`, () => {
      const stage = stageUntil(NOW + 10_000);
      stage.runBothClocks(1000);
      stage.deadlines.admission.endsAt += byMs;
      stage.deadlines.armDeadlines();
      stage.runBothClocks(100_000);
      assert.deepEqual(stage.passed, expected);
    });
  }

  it('never expires after it became unlimited', () => {
    const stage = stageUntil(NOW + 10_000);
    stage.deadlines.admission.endsAt = Infinity;
    stage.runBothClocks(100_000);
    assert.deepEqual(stage.passed, []);
  });
});

describe('a session that closes', () => {
  it('no longer counts as open', () => {
    const { deadlines } = new Stage();
    assert.ok(!deadlines.hasEnded);
    deadlines.markEnded();
    deadlines.endpointActive();
    assert.ok(deadlines.hasEnded);
  });

  it('gives the endpoint 5 seconds, and has no other deadline', () => {
    const stage = new Stage({ idleTimeoutMs: 2000, maxLifetimeMs: 3000 });
    stage.end();
    stage.run(10_000);
    assert.deepEqual(stage.passed, ['close at 5000']);
  });

  it('has no deadlines after they have been stopped', () => {
    const stage = new Stage({ idleTimeoutMs: 2000, maxLifetimeMs: 3000 });
    stage.end();
    stage.deadlines.disarmDeadlines();
    stage.run(10_000);
    assert.deepEqual(stage.passed, []);
  });
});
