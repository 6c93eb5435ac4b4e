import type { Session } from '../driver/sessions/session.ts';
import type { DriveContext, Sessions, Traffic } from '../driver/sessions/traffic.ts';
import { AvailableSessions } from './available-sessions.ts';
import type { MessagePool } from './message-pool.ts';
import type { Pacer, Paced } from './pacer.ts';
import { pacerFor } from './pacing.ts';

/**
 * Sends messages that are answered in order, one by one. In a closed loop every reply triggers the next
 * message, so each session has a constant number in flight. In an open loop messages are sent when they are
 * due, on the sessions in turn.
 */
export abstract class MessageTraffic implements Traffic, Paced {
  readonly holdsConnections = true;
  readonly keptBytes = 0;
  readonly replyLengths: Uint32Array;
  protected readonly context: DriveContext;
  protected readonly pool: MessagePool;
  readonly #pacer: Pacer | null;
  readonly #available = new AvailableSessions();
  #sessions: readonly Session[] = [];
  #running = false;
  /** Replies found in the current read. */
  #answeredCount = 0;

  constructor(context: DriveContext, pool: MessagePool) {
    this.context = context;
    this.pool = pool;
    this.replyLengths = pool.lengths;
    this.#pacer = pacerFor(context, this, context.thread, context.plan.threads);
  }

  abstract message(session: Session, length: number): void;
  abstract pong(session: Session, payload: Uint8Array): void;

  begin({ all }: Sessions, now: number, until: number): void {
    this.#sessions = all;
    this.#running = true;
    for (const session of all) if (session.state === 'open') this.opened(session);
    this.#pacer?.begin(now, until);
  }

  end(now: number): void {
    this.#pacer?.endAt(now);
    this.#running = false;
  }

  get settled(): boolean {
    if (this.#pacer !== null && this.#pacer.backlog > 0) return false;
    return this.#sessions.every(({ sent }) => sent.length === 0);
  }

  giveUp(): void {
    const { recorder } = this.context;
    recorder.readClock();
    // A message without a reply has waited at least until now. Leaving it out would make the target look
    // better.
    this.#pacer?.giveUp((intended) => {
      recorder.unsent++;
      recorder.waited(intended);
    });
    for (const { sent } of this.#sessions) {
      for (let since = sent.shift(); since >= 0; since = sent.shift()) {
        recorder.unanswered++;
        recorder.waited(since);
      }
    }
  }

  opened(session: Session): void {
    if (this.#pacer !== null) this.#offer(session);
    else if (this.#running)
      this.#send(session, this.context.plan.inFlight, this.context.recorder.readClock());
  }

  closed(): void {
    // If the session is in the list of available sessions, `sendDue` skips it.
  }

  readDone(session: Session): void {
    const answered = this.#answeredCount;
    if (answered === 0) return;
    this.#answeredCount = 0;
    if (this.#pacer !== null) this.#offer(session);
    else if (this.#running) this.#send(session, answered, this.context.recorder.now);
  }

  drained(session: Session): void {
    if (this.#pacer !== null) this.#offer(session);
  }

  sendDue(intended: number): boolean {
    const { recorder } = this.context;
    for (;;) {
      const session = this.#available.take();
      if (session === null) return false;
      if (!this.#hasRoom(session)) continue;
      recorder.readClock();
      recorder.sent(intended);
      this.#send(session, 1, intended);
      if (this.#hasRoom(session)) this.#available.add(session);
      return true;
    }
  }

  /** Records the reply to a session's oldest message in flight. */
  protected answered(session: Session): void {
    const since = session.finish();
    const place = session.nextReply;
    session.nextReply = place + 1 === this.pool.count ? 0 : place + 1;
    this.context.recorder.answered(since, this.pool.lengths[place]!);
    this.#answeredCount++;
  }

  #hasRoom(session: Session): boolean {
    return session.state === 'open' && !session.choked && session.sent.length < this.context.plan.inFlight;
  }

  #offer(session: Session): void {
    if (!this.#hasRoom(session)) return;
    this.#available.add(session);
    this.#pacer!.poke();
  }

  #send(session: Session, count: number, since: number): void {
    const { pool } = this;
    session.begin(count, since);
    for (let left = count; left > 0;) {
      const first = session.nextMessage;
      const run = Math.min(left, pool.count - first);
      session.write(pool.run(first, run));
      session.nextMessage = pool.uniform || first + run === pool.count ? 0 : first + run;
      left -= run;
    }
  }
}
