import { compileRedaction } from '../../../src/wire/redaction/redaction.ts';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import type { ReplayCounts } from '../../driver/measuring/outcome.ts';
import { MAX_OPENING } from '../../driver/sessions/thread-sessions.ts';
import { HandshakeRequest } from '../../driver/sessions/opening-handshake.ts';
import type { Session } from '../../driver/sessions/session.ts';
import type { DriveContext, Sessions, Traffic } from '../../driver/sessions/traffic.ts';
import type { Plan, ReplayPlan } from '../../options/plan.ts';
import { EventLog } from '../../recorded/event-log.ts';
import type { RecordedClient, RecordedClients } from '../../recorded/recorded-clients.ts';
import { OpeningGate, type Entrant } from './opening-gate.ts';
import { OutgoingFrames } from './outgoing-frames.ts';
import { Player, type Stage } from './player.ts';
import { ReplayResults } from './replay-results.ts';
import { ReplyCheck } from './reply-check.ts';
import { Timetable, type Scheduled } from './timetable.ts';

/**
 * Max bytes of a reply to compare. Recorded replies have at most 64 KiB, but redaction may have shortened
 * them.
 */
const MAX_COMPARED_BYTES = 128 * 1024;

/**
 * Creates the traffic of a replay.
 *
 * @throws Error if the context has no recording
 */
export function createReplay(context: DriveContext): Traffic {
  const { plan, recorded } = context;
  if (plan.replay === null || recorded === null) throw new Error('a replay needs a recording');
  return new ReplayTraffic(context, plan.replay, recorded);
}

/** Plays recorded clients with their handshakes and their timing, each on its own connection. */
class ReplayTraffic implements Traffic {
  readonly holdsConnections = false;
  readonly keptBytes: number;
  readonly replyLengths = new Uint32Array(0);
  readonly settled = true;
  readonly finished: Promise<void>;
  readonly #context: DriveContext;
  readonly #recorded: RecordedClients;
  readonly #results: ReplayResults;
  readonly #timetable = new Timetable({
    now: monotonicNow,
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
  readonly #gate = new OpeningGate(MAX_OPENING);
  readonly #stage: Stage;
  #players: readonly Player[] = [];
  #sessions: Sessions | null = null;
  #finishedCount = 0;
  #finish: () => void = () => undefined;

  constructor(context: DriveContext, replay: ReplayPlan, recorded: RecordedClients) {
    this.#context = context;
    this.#recorded = recorded;
    this.keptBytes = replay.expect === 'same' ? MAX_COMPARED_BYTES : 0;
    this.finished = new Promise((settle) => (this.#finish = settle));
    this.#results = new ReplayResults(context);
    this.#stage = this.#createStage(replay, new EventLog(recorded.events));
  }

  get replayed(): ReplayCounts {
    return this.#results.counts();
  }

  begin(sessions: Sessions, now: number): void {
    this.#sessions = sessions;
    this.#players = sessions.all.map((session) => {
      return new Player(this.#stage, session, this.#clientsOf(session.index));
    });
    for (const player of this.#players) player.begin(now);
  }

  end(): void {
    this.#timetable.stop();
    this.#gate.stop();
    this.#results.isOver = true;
  }

  giveUp(): void {
    // Clients that are cut short count neither as played nor as failed.
  }

  opened(session: Session): void {
    this.#gate.leave();
    this.#players[session.index]?.opened();
  }

  closed(session: Session, wasOpen: boolean): void {
    if (!wasOpen) this.#gate.leave();
    this.#players[session.index]?.closed();
  }

  message(
    session: Session,
    length: number,
    bytes: Buffer,
    start: number,
    available: number,
    isText: boolean,
  ): void {
    this.#players[session.index]?.message(length, bytes, start, available, isText);
  }

  pong(): void {
    // The player ignores pongs: they are not part of the conversation.
  }

  readDone(): void {
    // Each message is handled when it arrives.
  }

  drained(session: Session): void {
    this.#players[session.index]?.drained();
  }

  /**
   * Returns the clients of a connection. If clients outnumber connections, each connection plays several in
   * order.
   */
  #clientsOf(index: number): readonly RecordedClient[] {
    const { plan, thread } = this.#context;
    const { clients } = this.#recorded;
    const connection = index * plan.threads + thread;
    if (plan.connections >= clients.length) return [clients[connection % clients.length]!];
    const own: RecordedClient[] = [];
    for (let at = connection; at < clients.length; at += plan.connections) own.push(clients[at]!);
    return own;
  }

  #createStage({ expect, speed, redact }: ReplayPlan, log: EventLog): Stage {
    const { plan, recorder, random } = this.#context;
    const frames = new OutgoingFrames(log, random);
    return {
      log,
      expect,
      speed,
      timeoutMs: plan.timeoutMs,
      check: new ReplyCheck(log, compileRedaction(expect === 'same' ? redact : [])),
      results: this.#results,
      now: () => recorder.readClock(),
      schedule: (player: Scheduled, at: number) => this.#timetable.schedule(player, at),
      cancel: (player: Scheduled) => this.#timetable.cancel(player),
      enter: (player: Entrant) => this.#gate.enter(player),
      open: (index: number, client: RecordedClient) => this.#open(index, client),
      frameOf: (event: number) => frames.frameOf(event),
      finished: () => {
        if (++this.#finishedCount === this.#players.length) this.#finish();
      },
    };
  }

  #open(index: number, client: RecordedClient): void {
    const session = this.#sessions!.all[index]!;
    session.request = new HandshakeRequest(handshakeOptions(this.#context.plan, client));
    this.#sessions!.open(session);
  }
}

/** Returns the handshake of a client for the plan's target. The command line overrides recorded values. */
function handshakeOptions(
  { target, headers, subprotocols }: Plan,
  { handshake }: RecordedClient,
): ConstructorParameters<typeof HandshakeRequest>[0] {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const recorded = handshake.headers.filter(([name]) => !given.has(name.toLowerCase()));
  return {
    target: target.path === '/' ? { ...target, path: handshake.path } : target,
    headers: [...recorded, ...headers],
    subprotocols: subprotocols.length > 0 ? subprotocols : handshake.subprotocols,
  };
}
