import { TICK_MS, TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { TapCommand, TapOrder, TapReport } from '../../../../src/protocol/tap.ts';
import type { SessionTap, TappedEnd, TappedSession } from '../../../../src/telemetry/tap/tap.ts';
import type { FrameRules } from '../../../../src/wire/frames/frame-tracker.ts';
import type { FrameRecord, TapRecord } from '../../../../src/wire/recording/records.ts';
import type { OpenGroup, OpenSession } from '../../../../src/worker/tap/open-connections.ts';
import { MIN_REPORT_INTERVAL_MS } from '../../../../src/worker/tap/running-tap.ts';
import { WorkerTaps } from '../../../../src/worker/tap/worker-taps.ts';
import { encodeFrame, type FrameOptions } from '../../../support/websocket/raw-frames.ts';
import { TrackingRecorder } from '../../wire/frames/tracking-recorder.ts';
import { SecretNames } from '../../../../src/wire/redaction/secret-names.ts';

const MASK = Buffer.from([0x11, 0x80, 0xfe, 0x37]);
const ORIGIN = 1_700_000_000_000;

/** Makes an order for all sessions, without payload. */
export function order(changes: Partial<TapOrder> = {}): TapOrder {
  return { id: 'tap', filter: {}, sample: 1, payload: false, maxPayloadBytes: 4096, redact: [], ...changes };
}

/** The facts of a session that is about to open. */
export function facts(changes: Partial<TappedSession> = {}): TappedSession {
  return {
    number: 1,
    listener: 'web',
    route: 'chat',
    cluster: 'rooms',
    endpoint: '127.0.0.1:9000',
    client: '192.0.2.1',
    principal: 'jwt:alice',
    openedAt: ORIGIN,
    extensions: '',
    handshake: { target: '/chat', headers: [['Host', 'example.org']], subprotocol: '' },
    ...changes,
  };
}

/** The end of a session. */
export function endOf(changes: Partial<TappedEnd> = {}): TappedEnd {
  return {
    side: 'client',
    code: 1000,
    reason: 'bye',
    seconds: 1.23456,
    messagesUpstream: 0,
    messagesDownstream: 0,
    bytesUpstream: 0,
    bytesDownstream: 0,
    ...changes,
  };
}

/** The taps of a worker with a fake primary and a fake clock. */
export class TapRig {
  readonly wheel = new TimerWheel(0);
  readonly taps: WorkerTaps;
  readonly reports: TapReport[] = [];
  readonly counts = { told: 0, cpu: 0, lines: 0 };
  /** What each reading of the clock adds to it. */
  msPerReading = 0;
  /** Whether the primary takes reports at once. */
  takes = true;
  /** The next draws of samples. */
  readonly draws: number[] = [];
  readonly faults: unknown[] = [];
  groups: OpenGroup[] = [];
  readonly #waiting: TapReport[] = [];
  #nextTurns: (() => void)[] = [];
  #now = 0;
  #ticks = 0;

  constructor(...orders: readonly TapOrder[]) {
    this.taps = new WorkerTaps(
      {
        run: 'r0',
        hasSessions: true,
        wheel: this.wheel,
        service: () => ({ sessions: () => this.groups, nextTurn: (run) => this.#nextTurns.push(run) }),
        counters: {
          shown: () => this.counts.told++,
          lost: (reason, frames) => (this.counts[reason] += frames),
        },
        secretNames: new SecretNames([{ kind: 'header', name: 'x-knock' }]),
        send: (report) => {
          this.reports.push(report);
          this.#waiting.push(report);
          if (this.takes) this.taken(report.id);
        },
        onFault: (error) => this.faults.push(error),
        clock: {
          now: () => (this.#now += this.msPerReading),
          cpu: { now: () => this.#now, maxErrorMs: 0 },
          origin: ORIGIN,
        },
        savedTicks: 1,
        random: () => this.draws.shift() ?? 0,
      },
      orders,
    );
  }

  start(started: TapOrder): void {
    this.#handle({ type: 'tap_start', order: started });
  }

  stop(id = 'tap'): void {
    this.#handle({ type: 'tap_stop', id });
  }

  /** Takes all reports of a tap that {@link takes} left waiting. */
  taken(id = 'tap'): void {
    for (const report of this.#waiting.splice(0)) {
      if (report.id === id) Atomics.add(report.taken, 0, 1);
      else this.#waiting.push(report);
    }
  }

  #handle(command: TapCommand): void {
    this.taps.handle(command);
  }

  /** Lets a tick of the wheel pass, and the turns of the loop that it asks for. */
  tick(): void {
    this.#now += TICK_MS;
    this.wheel.advance(++this.#ticks * TICK_MS);
    this.#runTurns();
  }

  #runTurns(): void {
    while (this.#nextTurns.length > 0) for (const run of this.#nextTurns.splice(0)) run();
  }

  /** Lets the taps handle the waiting events of sessions, while no time passes. */
  handle(): void {
    this.taps.expire();
    this.#runTurns();
  }

  /** Lets time pass until everything is reported: a tick may send one report, and leave the rest for another. */
  report(): void {
    for (let passed = 0; passed < 2 * MIN_REPORT_INTERVAL_MS; passed += TICK_MS) this.tick();
  }

  /** Makes an open session, which taps find. */
  openSession(changes: Partial<OpenSession> = {}): OpenSession {
    const session: OpenSession = {
      number: 1,
      openedAt: ORIGIN,
      extensions: '',
      endpoint: { label: '127.0.0.1:9000' },
      admission: {
        principal: { kind: 'jwt', name: 'alice', issuedAt: null, expiresAt: Infinity, claims: null },
        address: '192.0.2.1',
      },
      hasEnded: false,
      tap: null,
      ...changes,
    };
    this.groups.push({ listener: 'web', route: 'chat', cluster: 'rooms', sessions: [session], tunnels: [] });
    return session;
  }

  /** Returns the records of a tap so far, and forgets its reports. */
  records(id = 'tap'): TapRecord[] {
    this.report();
    const own = this.reports.filter((report) => report.id === id);
    this.reports.splice(0, Infinity, ...this.reports.filter((report) => report.id !== id));
    return own.flatMap(({ lines }) => recordsOf(lines));
  }

  /** As {@link records}, of frames only, without what all have. */
  frames(id = 'tap'): Partial<FrameRecord>[] {
    return this.records(id).flatMap((record) => {
      if (record.type !== 'frame') return [];
      const { type: _type, at: _at, session: _session, ...rest } = record;
      return [rest];
    });
  }

  /** Losses counted by the reports so far. */
  get lost(): { readonly frames: number; readonly sessions: number } {
    return {
      frames: this.reports.reduce((sum, { lostFrames }) => sum + lostFrames, 0),
      sessions: this.reports.reduce((sum, { lostSessions }) => sum + lostSessions, 0),
    };
  }
}

function recordsOf(lines: string): TapRecord[] {
  return lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TapRecord);
}

/** One direction of a session, like its relay: the tap gets bytes before they are tracked. */
export class TappedLeg {
  readonly tracker: TrackingRecorder;
  tap: SessionTap | null;
  readonly #fromClient: boolean;

  constructor(tap: SessionTap | null, fromClient = true) {
    const rules: FrameRules = { masked: fromClient, extensions: 'deflate', maxMessageSize: Infinity };
    this.tracker = new TrackingRecorder(rules);
    this.tap = tap;
    this.#fromClient = fromClient;
  }

  /** Takes a read. */
  read(bytes: Buffer): void {
    this.tap?.received(this.#fromClient, this.tracker, bytes, 0, bytes.length);
    this.tracker.read(bytes);
  }

  /** Takes a frame in one read. */
  frame(opcode: number, payload: string | Buffer = '', options: FrameOptions = {}): void {
    this.read(this.encode(opcode, payload, options));
  }

  /** Encodes a frame as the side sends it. */
  encode(opcode: number, payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
    return encodeFrame(opcode, payload, this.#fromClient ? { mask: MASK, ...options } : options);
  }
}
