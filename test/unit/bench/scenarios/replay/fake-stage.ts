/** Fakes around a player: a clock advanced by tests, a session without a connection, and a record of results. */
import { ClientCollector } from '../../../../../bench/recorded/client-collector.ts';
import { EventLog } from '../../../../../bench/recorded/event-log.ts';
import type { RecordedClient } from '../../../../../bench/recorded/recorded-clients.ts';
import type { Expectation } from '../../../../../bench/options/plan.ts';
import { OpeningGate, type Entrant } from '../../../../../bench/scenarios/replay/opening-gate.ts';
import { OutgoingFrames } from '../../../../../bench/scenarios/replay/outgoing-frames.ts';
import {
  Player,
  type PlayedSession,
  type PlayResults,
  type Stage,
} from '../../../../../bench/scenarios/replay/player.ts';
import { ReplyCheck } from '../../../../../bench/scenarios/replay/reply-check.ts';
import { Timetable, type Scheduled } from '../../../../../bench/scenarios/replay/timetable.ts';
import { RandomPool } from '../../../../../src/core/random-pool.ts';
import { compileRedaction } from '../../../../../src/wire/redaction/redaction.ts';
import type { WrittenRecording } from '../../../../support/recording/written-recording.ts';
import { receiveAsServer } from '../../../wire/frames/foreign-codec.ts';

const NO_RULES = compileRedaction([]);

/** A clock that advances only on request. */
export class FakeClock {
  time = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Advances to a time, and runs the callbacks that are due. */
  goTo(time: number): void {
    for (;;) {
      const [first] = [...this.#timers].filter(({ at }) => at <= time).sort((a, b) => a.at - b.at);
      if (first === undefined) break;
      this.#timers.delete(first);
      this.time = Math.max(this.time, first.at);
      first.callback();
    }
    this.time = time;
  }
}

/** A session that records the calls to it, each with the time. */
export class FakeSession implements PlayedSession {
  readonly index = 0;
  state: PlayedSession['state'] = 'closed';
  choked = false;
  closeCode = 1006;
  hasFailed = false;
  mayClose = false;
  readonly notes: string[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  write(bytes: Uint8Array): void {
    for (const { kind, data, isBinary } of receiveAsServer(Buffer.from(bytes))) {
      const what = kind === 'message' ? (isBinary ? 'binary' : 'text') : kind;
      this.note(`${what} ${data.toString()}`);
    }
  }

  close(code?: number): void {
    this.state = 'closing';
    this.note(code === undefined ? 'close' : `close ${code}`);
  }

  abandon(): void {
    this.state = 'closing';
    this.note('abandon');
  }

  fail(kind: string): void {
    this.state = 'ended';
    this.hasFailed = true;
    this.note(`fail: ${kind}`);
  }

  note(text: string): void {
    this.notes.push(`${this.#clock.time} ${text}`);
  }
}

class Notes implements PlayResults {
  readonly ends: boolean[] = [];
  readonly latencies: number[] = [];
  readonly lateness: number[] = [];
  readonly delays: number[] = [];
  readonly errors: string[] = [];
  readonly differences: string[] = [];
  bytes = 0;
  unsolicitedCount = 0;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  began(): void {
    // The session records its opening.
  }
  delayed(since: number): void {
    this.delays.push(this.#clock.time - since);
  }
  ended(isGood: boolean): void {
    this.ends.push(isGood);
  }
  sent(due: number): void {
    this.lateness.push(this.#clock.time - due);
  }
  arrived(bytes: number): void {
    this.bytes += bytes;
  }
  unsolicited(): void {
    this.unsolicitedCount++;
  }
  answered(since: number): void {
    this.latencies.push(this.#clock.time - since);
  }
  error(kind: string): void {
    this.errors.push(kind);
  }
  differed(_client: RecordedClient, what: string): void {
    this.differences.push(what);
  }
}

export interface RigOptions {
  readonly expect?: Expectation;
  readonly speed?: number;
  readonly timeoutMs?: number;
  readonly gate?: OpeningGate;
}

/** A player of all clients of a recording on one session. */
export class PlayerRig {
  readonly clock = new FakeClock();
  readonly session = new FakeSession(this.clock);
  readonly results = new Notes(this.clock);
  readonly player: Player;
  readonly #gate: OpeningGate;
  finished = false;

  constructor(
    { records }: WrittenRecording,
    { expect = 'count', speed = 1, timeoutMs = 1000, gate = new OpeningGate(1) }: RigOptions = {},
  ) {
    this.#gate = gate;
    const collector = new ClientCollector(expect, NO_RULES);
    for (const record of records) collector.add(record);
    const { clients, events } = collector.finish();
    const log = new EventLog(events);
    const frames = new OutgoingFrames(log, new RandomPool());
    const timetable = new Timetable(this.clock);
    const stage: Stage = {
      log,
      expect,
      speed,
      timeoutMs,
      check: new ReplyCheck(log, NO_RULES),
      results: this.results,
      now: () => this.clock.time,
      schedule: (item: Scheduled, at: number) => timetable.schedule(item, at),
      cancel: (item: Scheduled) => timetable.cancel(item),
      enter: (player: Entrant) => gate.enter(player),
      open: (_index, { session }) => {
        this.session.note(`open ${session}`);
        this.session.state = 'opening';
        this.session.hasFailed = this.session.mayClose = false;
      },
      frameOf: (event) => frames.frameOf(event),
      finished: () => (this.finished = true),
    };
    this.player = new Player(stage, this.session, clients);
    this.player.begin(0);
  }

  /** The notes of the session since the last call. */
  get notes(): string[] {
    return this.session.notes.splice(0);
  }

  /** Opens the session at a time. */
  openAt(time: number): void {
    this.clock.goTo(time);
    this.session.state = 'open';
    this.#gate.leave();
    this.player.opened();
  }

  /** Delivers a message at a time. */
  replyAt(time: number, payload: string | Buffer): void {
    this.clock.goTo(time);
    const bytes = Buffer.from(payload as string);
    if (this.session.state !== 'open') return;
    this.player.message(bytes.length, bytes, 0, bytes.length, typeof payload === 'string');
  }

  /** Closes the session at a time. */
  closeAt(time: number, code = 1006): void {
    this.clock.goTo(time);
    if (this.session.state === 'opening') this.#gate.leave();
    this.session.state = 'closed';
    this.session.closeCode = code;
    this.player.closed();
  }
}
