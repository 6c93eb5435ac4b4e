/** A session of the stream relay between a client and an endpoint in memory. */
import type { Admission } from '../../../../../src/access/contract/admission.ts';
import { RandomPool } from '../../../../../src/core/random-pool.ts';
import { TimerWheel } from '../../../../../src/core/timing/timer-wheel.ts';
import { BufferBudget } from '../../../../../src/l7/buffers/buffer-budget.ts';
import type { SessionEnd } from '../../../../../src/l7/contract/relay.ts';
import { SessionStats } from '../../../../../src/l7/contract/session-stats.ts';
import type { StreamSession } from '../../../../../src/l7/contract/stream-session.ts';
import { StreamRelay } from '../../../../../src/l7/websocket/stream-relay/stream-relay.ts';
import type { Endpoint } from '../../../../../src/upstream/endpoint.ts';
import { CLOSE, closeBody, encodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { admissionWith, type FakeMeter } from '../fake-meter.ts';
import { NAMES, SessionPage } from '../session-page.ts';
import { FakeChannel } from './fake-channel.ts';

export const KIB = 1024;
export const MAX_MESSAGE_SIZE = 1024 * KIB;
export const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

export interface StageOptions {
  readonly idleTimeoutMs?: number;
  readonly maxLifetimeMs?: number;
  readonly budget?: number;
  readonly opens?: boolean;
  readonly extensions?: string;
  readonly endpointLostCode?: number;
  /** Bytes behind the client's request. */
  readonly rest?: Buffer;
  readonly meter?: FakeMeter;
}

export class Stage extends SessionPage {
  readonly client = new FakeChannel(false);
  readonly endpoint = new FakeChannel(true);
  readonly budget: BufferBudget;
  readonly relay: StreamRelay;
  readonly session: StreamSession;
  /** The access lines of the session. */
  readonly lines: (Partial<SessionEnd> | 'opened')[] = [];
  /** What happened to the session before its end was told. */
  readonly happenings: string[] = [];
  /** How often the session has given up the endpoint. */
  released = 0;
  readonly #wheel = new TimerWheel(0);
  readonly admission: Admission;

  constructor(options: StageOptions = {}) {
    super();
    this.budget = new BufferBudget(options.budget ?? 1024 * KIB, this.page);
    const { idleTimeoutMs = 0, maxLifetimeMs = 0, endpointLostCode = 1011 } = options;
    this.admission = admissionWith(options.meter ?? null);
    this.relay = new StreamRelay(
      { wheel: this.#wheel, budget: this.budget, random: new RandomPool() },
      {
        settings: {
          handshakeTimeoutMs: 1000,
          maxMessageSize: MAX_MESSAGE_SIZE,
          idleTimeoutMs,
          maxLifetimeMs,
          downstreamBuffer: 1,
          upstreamBuffer: 1,
          compression: 'off',
          endpointLostCode,
        },
        randomMasks: true,
        stats: new SessionStats(this.page, NAMES.listener, NAMES.route, NAMES.cluster),
      },
    );
    const endpoint = {
      cluster: NAMES.cluster,
      label: '10.0.0.1:80',
      release: () => {
        this.released++;
      },
    } as unknown as Endpoint;
    this.session = this.relay.createSession(
      this.endpoint,
      endpoint,
      options.extensions ?? '',
      {
        opened: () => this.lines.push('opened'),
        happened: (name) => this.happenings.push(name),
        closed: (end) => this.lines.push({ ...end, seconds: 0 }),
      },
      this.admission,
    );
    if (options.opens ?? true) this.session.clientOpened(this.client, options.rest ?? Buffer.alloc(0));
  }

  /** Lets time pass tick by tick. */
  advance(ms: number): void {
    for (const end = this.#wheel.now + ms; this.#wheel.now < end;) this.#wheel.advance(this.#wheel.now + 100);
  }

  get end(): Partial<SessionEnd> {
    const line = this.lines[1];
    if (line === undefined || line === 'opened') throw new Error('the session has not ended');
    return line;
  }

  /** Whether nothing of the session is left. */
  get isOver(): boolean {
    const { client, endpoint, relay, budget } = this;
    const isFree = relay.sessions.size === 0 && budget.left === budget.maxBytes && this.released === 1;
    return client.destroyed && endpoint.destroyed && isFree && this.active === 0;
  }
}

/** A frame of a client. */
export function masked(opcode: number, payload: string | Buffer = '', fin = true): Buffer {
  return encodeFrame(opcode, payload, { mask: MASK, fin });
}

/** A close frame as `frames` shows it. */
export function closeOf(code: number | null, reason = ''): [opcode: number, payload: string] {
  return [CLOSE, code === null ? '' : closeBody(code, reason).toString('latin1')];
}
