import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomPool } from '../../../../../src/core/random-pool.ts';
import { TimerWheel } from '../../../../../src/core/timing/timer-wheel.ts';
import { BufferBudget } from '../../../../../src/l7/buffers/buffer-budget.ts';
import type { DownstreamSocket } from '../../../../../src/l7/contract/downstream-socket.ts';
import { Outbox, SLAB_SIZE } from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import { SessionStats } from '../../../../../src/l7/contract/session-stats.ts';
import { MessageRelay } from '../../../../../src/l7/websocket/message-relay/message-relay.ts';
import type { RelaySession } from '../../../../../src/l7/contract/relay.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import {
  CLOSE_CODES,
  CLOSE_SIDES,
  DIRECTIONS,
  SHED_REASONS,
} from '../../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../../src/telemetry/stats-page.ts';
import type { Endpoint } from '../../../../../src/upstream/endpoint.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  closeBody,
  decodeFrame,
  encodeFrame,
} from '../../../../support/websocket/raw-frames.ts';

const KIB = 1024;
const DOWNSTREAM_BUFFER = 100 * KIB;
const UPSTREAM_BUFFER = 200 * KIB;
const NAMES = { listener: 'web', route: 'all', cluster: 'app' };

/** A client of which so many bytes wait as a test says. */
class FakeClient implements DownstreamSocket {
  waiting = 0;
  /** How its leg was ended. */
  ended: string | null = null;

  send(message: Uint8Array): number {
    this.waiting += message.length;
    return 0;
  }
  sendFirstFragment(message: Uint8Array): number {
    return this.send(message);
  }
  sendFragment(message: Uint8Array): number {
    return this.send(message);
  }
  sendLastFragment(message: Uint8Array): number {
    return this.send(message);
  }
  end(code: number): void {
    this.ended = String(code);
  }
  close(): void {
    this.ended = 'cut';
    this.waiting = 0;
  }
  cork(callback: () => void): void {
    callback();
  }
  getBufferedAmount(): number {
    return this.waiting;
  }
}

/** An endpoint's connection that takes nothing while it is blocked. */
class FakeEndpoint implements UpstreamSocket {
  owner: UpstreamOwner | null = null;
  readonly fd = -1;
  writableLength = 0;
  destroyed = false;
  writableEnded = false;
  blocked = false;
  paused = false;
  #written: Buffer = Buffer.alloc(0);

  write(bytes: Buffer): boolean {
    this.#written = Buffer.concat([this.#written, bytes]);
    if (this.blocked) this.writableLength += bytes.length;
    return !this.blocked;
  }
  writeCopy(bytes: Uint8Array): boolean {
    return this.write(Buffer.from(bytes));
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }

  /** It takes everything that waits. */
  drain(): void {
    this.blocked = false;
    this.writableLength = 0;
    this.owner?.upstreamDrained?.();
  }

  /** Opcode and payload of every frame that has been written. */
  get frames(): [opcode: number, payload: string][] {
    const frames: [number, string][] = [];
    let bytes = this.#written;
    for (let next = decodeFrame(bytes); next !== null; next = decodeFrame(bytes)) {
      frames.push([next.frame.opcode, next.frame.payload.toString('latin1')]);
      bytes = bytes.subarray(next.length);
    }
    return frames;
  }

  get pongs(): string[] {
    return this.frames.filter(([opcode]) => opcode === PONG).map(([, payload]) => payload);
  }
}

function statsPage(): StatsPage {
  const layout = new PageLayout();
  const { listener, route, cluster } = NAMES;
  for (const direction of DIRECTIONS) {
    for (const metric of [pageMetrics.bufferedBytes, pageMetrics.paused, pageMetrics.bufferOverflows]) {
      layout.add(metric, { direction });
    }
    for (const metric of [pageMetrics.messages, pageMetrics.bytes])
      layout.add(metric, { cluster, direction });
  }
  for (const side of CLOSE_SIDES) {
    for (const code of CLOSE_CODES) layout.add(pageMetrics.closes, { cluster, side, code });
  }
  layout.add(pageMetrics.unfinishedBytes, {});
  for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
  layout.add(pageMetrics.handshakeDuration, { listener, cluster });
  layout.add(pageMetrics.sessionDuration, { listener, cluster });
  layout.add(pageMetrics.sessionsActive, { listener, route, cluster });
  layout.add(pageMetrics.sessions, { listener, route, cluster });
  return new StatsPage(allocatePage(layout), layout);
}

/** A session between a client and an endpoint that are fakes, and the worker that it lives in. */
class Stage {
  readonly client = new FakeClient();
  readonly endpoint = new FakeEndpoint();
  readonly page = statsPage();
  readonly budget: BufferBudget;
  readonly session: RelaySession;
  readonly #wheel = new TimerWheel(0);
  readonly #deferred: (() => void)[] = [];

  constructor({ idleTimeoutMs = 0, budget = 1024 * KIB } = {}) {
    this.budget = new BufferBudget(budget, this.page);
    const relay = new MessageRelay(
      {
        wheel: this.#wheel,
        dialler: { downstreamTouched: () => undefined },
        outbox: new Outbox({ bytes: Buffer.alloc(SLAB_SIZE), send: () => -1 }, (callback) =>
          this.#deferred.push(callback),
        ),
        budget: this.budget,
        random: new RandomPool(),
      },
      {
        settings: {
          handshakeTimeoutMs: 1000,
          maxMessageSize: 16 * KIB * KIB,
          idleTimeoutMs,
          maxLifetimeMs: 0,
          downstreamBuffer: DOWNSTREAM_BUFFER,
          upstreamBuffer: UPSTREAM_BUFFER,
          compression: 'off',
          endpointLostCode: 1011,
        },
        randomMasks: false,
        stats: new SessionStats(this.page, NAMES.listener, NAMES.route, NAMES.cluster),
      },
    );
    const endpoint = { release: () => undefined } as unknown as Endpoint;
    this.session = relay.createSession(this.endpoint, endpoint, null);
    this.session.downstreamOpened(this.client);
  }

  /** The turn of the loop ends. */
  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }

  advance(ms: number): void {
    this.#wheel.advance(this.#wheel.now + ms);
  }

  /** Bytes arrive from the endpoint. */
  receive(bytes: Buffer): void {
    this.session.upstreamData(bytes, 0, bytes.length);
  }

  /** The client sends a message. */
  message(length: number): void {
    this.session.downstreamMessage(new ArrayBuffer(length), true);
    this.turn();
  }

  /** The client pings, and uWS puts the pong behind what waits. */
  ping(pongBytes: number): void {
    if (this.client.ended !== null) return;
    this.client.waiting += pongBytes;
    this.session.downstreamPinged();
  }

  closes(code: string): number {
    return this.#value(pageMetrics.closes, { cluster: NAMES.cluster, side: 'proxy', code });
  }

  overflows(direction: string): number {
    return this.#value(pageMetrics.bufferOverflows, { direction });
  }

  buffered(direction: string): number {
    return this.#value(pageMetrics.bufferedBytes, { direction });
  }

  #value(metric: (typeof pageMetrics)['closes'], labels: Record<string, string>): number {
    return this.page.values[this.page.slot(metric, labels)]!;
  }
}

describe('a client that pings', () => {
  it('keeps its session for ever while it reads the answers', () => {
    const stage = new Stage();
    for (let count = 0; count < 100_000; count++) {
      stage.ping(127);
      stage.client.waiting = 0;
      stage.session.downstreamDrained();
    }
    assert.equal(stage.client.ended, null);
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('has its pongs counted as soon as they wait', () => {
    const stage = new Stage();
    stage.ping(127);
    stage.ping(127);
    assert.equal(stage.buffered('downstream'), 254);
    stage.client.waiting = 0;
    stage.session.downstreamDrained();
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('has its endpoint paused when more than its buffer waits, and loses its session when still more does', () => {
    const stage = new Stage();
    let highest = 0;
    for (let count = 0; count < 10_000; count++) {
      stage.ping(127);
      highest = Math.max(highest, stage.buffered('downstream'));
      if (stage.buffered('downstream') > DOWNSTREAM_BUFFER) assert.ok(stage.endpoint.paused);
    }
    stage.turn();
    assert.equal(stage.client.ended, 'cut');
    assert.ok(highest <= DOWNSTREAM_BUFFER + 64 * KIB + 256, `${highest} bytes waited`);
    assert.equal(stage.overflows('downstream'), 1);
    assert.equal(stage.closes('1008'), 1);
    assert.equal(stage.buffered('downstream'), 0);
    assert.deepEqual(stage.endpoint.frames, [[CLOSE, closeBody(1001).toString('latin1')]]);
    assert.ok(!stage.endpoint.paused, 'the answer to the close frame is read');
  });

  it('may ping behind a message of any size that waits', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(BINARY, Buffer.alloc(3 * DOWNSTREAM_BUFFER)));
    assert.ok(stage.endpoint.paused);
    for (let count = 0; count < 500; count++) stage.ping(127);
    assert.equal(stage.client.ended, null);
    for (let count = 0; count < 500; count++) stage.ping(127);
    assert.equal(stage.client.ended, 'cut');
  });

  it('may ping without an end while it takes what waits, however slowly', () => {
    const stage = new Stage();
    for (let count = 0; count < 10_000; count++) {
      stage.receive(encodeFrame(BINARY, Buffer.alloc(1000)));
      stage.ping(127);
      stage.client.waiting = Math.max(0, stage.client.waiting - 1127);
      stage.session.downstreamDrained();
      if (count === 100) stage.receive(encodeFrame(BINARY, Buffer.alloc(2 * DOWNSTREAM_BUFFER)));
    }
    assert.equal(stage.client.ended, null);
  });

  it('is not heard any more after its session has ended', () => {
    const stage = new Stage();
    stage.client.waiting = 10 * DOWNSTREAM_BUFFER;
    stage.session.drain();
    stage.session.downstreamPinged();
    assert.equal(stage.overflows('downstream'), 0);
  });
});

describe('an endpoint that pings', () => {
  it('gets an answer to each ping while it reads', () => {
    const stage = new Stage();
    for (let count = 0; count < 1000; count++) {
      stage.receive(encodeFrame(PING, String(count)));
      stage.turn();
    }
    assert.deepEqual(
      stage.endpoint.pongs,
      Array.from({ length: 1000 }, (_, count) => String(count)),
    );
  });

  it('and does not read has few pongs wait, and gets the latest when it reads again', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    let highest = 0;
    for (let count = 0; count < 20_000; count++) {
      stage.receive(encodeFrame(PING, String(count).padEnd(125)));
      stage.turn();
      highest = Math.max(highest, stage.endpoint.writableLength);
    }
    assert.ok(highest < 65 * KIB, `${highest} bytes waited`);
    assert.equal(stage.client.ended, null);
    assert.ok(stage.endpoint.pongs.length < 600);
    stage.endpoint.drain();
    stage.turn();
    assert.equal(stage.endpoint.pongs.at(-1)?.trim(), '19999');
    stage.receive(encodeFrame(PING, 'next'));
    stage.turn();
    assert.deepEqual(
      stage.endpoint.pongs.slice(-2).map((payload) => payload.trim()),
      ['19999', 'next'],
    );
  });

  it('gets an answer once a second while it takes little of what waits', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(100 * KIB);
    for (let second = 0; second < 3; second++) {
      for (let count = 0; count < 100; count++) stage.receive(encodeFrame(PING, `${second} ${count}`));
      stage.turn();
      stage.budget.refresh();
      stage.turn();
    }
    assert.deepEqual(stage.endpoint.pongs, ['0 99', '1 99', '2 99']);
  });

  it('gets no answer that has no room in its buffer', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(UPSTREAM_BUFFER - 100);
    for (let count = 0; count < 1000; count++) {
      stage.receive(encodeFrame(PING, 'x'.repeat(125)));
      stage.turn();
      stage.budget.refresh();
    }
    assert.deepEqual(stage.endpoint.pongs, []);
    assert.ok(stage.endpoint.writableLength <= UPSTREAM_BUFFER);
    assert.equal(stage.client.ended, null);
  });
});

describe('an endpoint that does not read', () => {
  it('loses its session with 1013 when a message has no room', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(UPSTREAM_BUFFER);
    assert.equal(stage.buffered('upstream'), stage.endpoint.writableLength);
    stage.message(1);
    assert.equal(stage.client.ended, '1013');
    assert.ok(stage.endpoint.destroyed);
    assert.equal(stage.overflows('upstream'), 1);
    assert.equal(stage.closes('1013'), 1);
  });

  for (const size of [100, UPSTREAM_BUFFER, 2 * UPSTREAM_BUFFER]) {
    it(`gets a close frame behind a message of ${size} bytes, and has 5 seconds for both`, () => {
      const stage = new Stage();
      stage.endpoint.blocked = true;
      stage.message(size);
      stage.session.downstreamClosed(1000, new Uint8Array(0));
      assert.deepEqual(stage.endpoint.frames.at(-1), [CLOSE, closeBody(1000).toString('latin1')]);
      for (let tick = 0; tick < 49; tick++) stage.advance(100);
      assert.ok(!stage.endpoint.destroyed);
      for (let tick = 0; tick < 2; tick++) stage.advance(100);
      assert.ok(stage.endpoint.destroyed);
    });
  }

  it('is not pinged behind a full buffer, and is lost when it stays silent', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.endpoint.blocked = true;
    stage.message(UPSTREAM_BUFFER);
    for (let tick = 0; tick < 150; tick++) {
      stage.advance(100);
      stage.turn();
    }
    assert.ok(stage.endpoint.frames.every(([opcode]) => opcode !== PING));
    assert.equal(stage.client.ended, '1011');
    assert.ok(stage.endpoint.destroyed);
  });

  it('costs no copy of a message for which the budget has no room', () => {
    const stage = new Stage({ budget: 1024 * KIB });
    stage.endpoint.blocked = true;
    stage.message(2048 * KIB);
    assert.equal(stage.client.ended, '1013');
    assert.ok(stage.endpoint.destroyed);
    assert.ok(
      stage.endpoint.writableLength <= SLAB_SIZE,
      `${stage.endpoint.writableLength} bytes were queued`,
    );
    assert.equal(stage.buffered('upstream'), 0);
  });

  it('is cut when the budget wants what waits for it, though its session has ended', () => {
    const stage = new Stage({ budget: 150 * KIB });
    stage.endpoint.blocked = true;
    stage.message(100 * KIB);
    stage.session.downstreamClosed(1000, new Uint8Array(0));
    assert.ok(!stage.endpoint.destroyed);
    const other = {
      bufferedDownstream: 0,
      bufferedUpstream: 0,
      bufferedUnfinished: 0,
      measureBuffers: () => undefined,
      shed: () => undefined,
    };
    stage.budget.setDownstream(other, 60 * KIB);
    assert.ok(stage.endpoint.destroyed);
  });
});
