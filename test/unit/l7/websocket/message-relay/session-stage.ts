/** A session between fakes of its client and its endpoint. */
import type { Admission } from '../../../../../src/access/contract/admission.ts';
import { RandomPool } from '../../../../../src/core/random-pool.ts';
import { TimerWheel } from '../../../../../src/core/timing/timer-wheel.ts';
import { BufferBudget } from '../../../../../src/l7/buffers/buffer-budget.ts';
import type { DownstreamSocket } from '../../../../../src/l7/contract/downstream-socket.ts';
import type { SessionEnd } from '../../../../../src/l7/contract/relay.ts';
import { SessionStats } from '../../../../../src/l7/contract/session-stats.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import { MessageRelay } from '../../../../../src/l7/websocket/message-relay/message-relay.ts';
import type { MessageSession } from '../../../../../src/l7/websocket/message-relay/message-session.ts';
import { Outbox, SLAB_BYTES } from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import type { Endpoint } from '../../../../../src/upstream/endpoint.ts';
import { FakeConnection } from '../../../../support/sockets/fake-connection.ts';
import { PONG, decodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { admissionWith, type FakeMeter } from '../fake-meter.ts';
import { NAMES, SessionPage } from '../session-page.ts';

export const KIB = 1024;
export const DOWNSTREAM_BUFFER = 100 * KIB;
export const UPSTREAM_BUFFER = 200 * KIB;

/** A client. Everything that it is sent waits, until a test says otherwise. */
export class FakeClient implements DownstreamSocket {
  waiting = 0;
  /** The code of the close frame that it got, or `cut`. */
  ended: string | null = null;
  reason = '';
  /** Texts of the messages that it was sent. */
  readonly messages: string[] = [];

  send(message: Uint8Array): number {
    this.messages.push(Buffer.from(message).toString('latin1'));
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
  end(code: number, reason: Uint8Array | string): void {
    this.ended = String(code);
    this.reason = Buffer.from(reason).toString();
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
export class FakeEndpoint extends FakeConnection implements UpstreamSocket {
  owner: UpstreamOwner | null = null;
  writableLength = 0;
  writableEnded = false;
  blocked = false;
  #written: Buffer = Buffer.alloc(0);

  write(bytes: Uint8Array): boolean {
    this.#written = Buffer.concat([this.#written, bytes]);
    if (this.blocked) this.writableLength += bytes.length;
    return !this.blocked;
  }
  splice(): boolean {
    return false;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  resetAndDestroy(): void {
    this.destroyed = true;
  }

  /** The endpoint takes everything that waits. */
  drain(): void {
    this.blocked = false;
    this.writableLength = 0;
    this.owner?.channelDrained?.();
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

/** A session between a client and an endpoint, and the worker that it lives in. */
export class Stage extends SessionPage {
  readonly client = new FakeClient();
  readonly endpoint = new FakeEndpoint();
  readonly budget: BufferBudget;
  readonly relay: MessageRelay;
  readonly session: MessageSession;
  /** The access lines of the session. */
  readonly lines: (Partial<SessionEnd> | 'opened')[] = [];
  /** Whether the session has given up the endpoint. */
  isReleased = false;
  readonly #wheel = new TimerWheel(0);
  readonly #deferred: (() => void)[] = [];
  readonly admission: Admission;

  constructor({
    idleTimeoutMs = 0,
    budget = 1024 * KIB,
    opens = true,
    meter = null as FakeMeter | null,
  } = {}) {
    super();
    this.admission = admissionWith(meter);
    this.budget = new BufferBudget(budget, this.page);
    this.relay = new MessageRelay(
      {
        wheel: this.#wheel,
        engine: { clientsTouched: () => undefined },
        outbox: new Outbox({ bytes: Buffer.alloc(SLAB_BYTES), send: () => -1 }, (callback) =>
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
    const endpoint = {
      cluster: NAMES.cluster,
      label: '10.0.0.1:80',
      release: () => {
        this.isReleased = true;
      },
    } as unknown as Endpoint;
    this.session = this.relay.createSession(
      this.endpoint,
      endpoint,
      '',
      {
        opened: () => this.lines.push('opened'),
        happened: () => undefined,
        closed: (end) => this.lines.push({ ...end, seconds: 0 }),
      },
      this.admission,
    );
    if (opens) this.session.downstreamOpened(this.client);
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
    this.session.channelData(bytes, 0, bytes.length);
  }

  /** The client sends a message. */
  message(length: number): void {
    this.session.downstreamMessage(new ArrayBuffer(length), true);
    this.turn();
  }

  /** The client pings, and the engine puts the pong behind the bytes that wait. */
  ping(pongBytes: number): void {
    if (this.client.ended !== null) return;
    this.client.waiting += pongBytes;
    this.session.downstreamPinged(new Uint8Array(pongBytes));
  }
}
