import type { Session } from '../driver/sessions/session.ts';
import type { DriveContext, Sessions, Traffic } from '../driver/sessions/traffic.ts';
import { AvailableSessions } from './available-sessions.ts';
import type { Pacer, Paced } from './pacer.ts';
import { pacerFor } from './pacing.ts';

/**
 * Opens connections, closes each at once, and opens it again. Latency covers the opening: from the first
 * packet to the 101, or to the established connection if there is no handshake.
 */
export class ConnectTraffic implements Traffic, Paced {
  readonly holdsConnections = false;
  readonly keptBytes = 0;
  readonly replyLengths = new Uint32Array(0);
  readonly #context: DriveContext;
  readonly #pacer: Pacer | null;
  readonly #available = new AvailableSessions();
  #sessions: Sessions | null = null;
  /** Due time of each session's opening, in an open loop. */
  #due = new Float64Array(0);
  #running = false;

  constructor(context: DriveContext) {
    this.#context = context;
    this.#pacer = pacerFor(context, this, context.thread, context.plan.threads);
  }

  begin(sessions: Sessions, now: number, until: number): void {
    this.#sessions = sessions;
    this.#running = true;
    this.#due = new Float64Array(sessions.all.length);
    for (const session of sessions.all) {
      if (this.#pacer === null) sessions.open(session);
      else this.#available.add(session);
    }
    this.#pacer?.begin(now, until);
  }

  end(now: number): void {
    this.#pacer?.endAt(now);
    this.#running = false;
  }

  get settled(): boolean {
    if (this.#pacer !== null && this.#pacer.backlog > 0) return false;
    return this.#sessions?.all.every(({ state }) => state !== 'opening') ?? true;
  }

  giveUp(): void {
    const { recorder } = this.#context;
    recorder.readClock();
    this.#pacer?.giveUp((intended) => {
      recorder.unsent++;
      recorder.waited(intended);
    });
    for (const session of this.#sessions?.all ?? []) {
      if (session.state !== 'opening') continue;
      recorder.unanswered++;
      recorder.waited(this.#since(session));
    }
  }

  opened(session: Session): void {
    this.#context.recorder.answered(this.#since(session), 0);
    session.close();
  }

  closed(session: Session, wasOpen: boolean): void {
    if (this.#pacer !== null) {
      this.#available.add(session);
      this.#pacer.poke();
    } else if (this.#running) {
      if (wasOpen) this.#sessions?.open(session);
      else this.#sessions?.openLater(session);
    }
  }

  sendDue(intended: number): boolean {
    const session = this.#available.take();
    if (session === null) return false;
    const { recorder } = this.#context;
    recorder.readClock();
    recorder.sent(intended);
    this.#due[session.index] = intended;
    this.#sessions?.open(session);
    return true;
  }

  message(): void {
    this.#context.recorder.unsolicited++;
  }
  pong(): void {
    // This scenario sends no pings.
  }
  readDone(): void {
    // This scenario sends nothing in reply.
  }
  drained(): void {
    // Nothing was held back.
  }

  #since(session: Session): number {
    return this.#pacer === null ? session.activeAt : this.#due[session.index]!;
  }
}
