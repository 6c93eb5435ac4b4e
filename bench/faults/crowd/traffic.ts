import { CLOSE_ABNORMAL } from '../../../src/wire/frames/close-codes.ts';
import type { Session } from '../../driver/sessions/session.ts';
import type { DriveContext, Sessions, Traffic } from '../../driver/sessions/traffic.ts';
import { EchoTraffic } from '../../scenarios/echo.ts';
import type { MessagePool } from '../../scenarios/message-pool.ts';
import type { Ending, Opening } from './protocol.ts';
import type { TimelineRecorder } from './timeline-recorder.ts';

const CLOSE_CODE = /^\d{4}$/;

/** Sends echoes in an open loop, and records every start and end of a session. */
export class CrowdTraffic implements Traffic {
  readonly holdsConnections: boolean;
  readonly keptBytes = 0;
  readonly replyLengths: Uint32Array;
  readonly opens: Opening[] = [];
  readonly ends: Ending[] = [];
  readonly failures: Ending[] = [];
  readonly #echo: EchoTraffic;
  readonly #timelineRecorder: TimelineRecorder;
  /** Sessions to reopen as soon as they have ended. */
  readonly #storming = new Set<Session>();
  #sessions: Sessions | null = null;

  constructor(
    context: DriveContext,
    pool: MessagePool,
    timelineRecorder: TimelineRecorder,
    reopens: boolean,
  ) {
    this.#echo = new EchoTraffic(context, pool);
    this.#timelineRecorder = timelineRecorder;
    this.replyLengths = pool.lengths;
    this.holdsConnections = reopens;
  }

  begin(sessions: Sessions, now: number, until: number): void {
    this.#sessions = sessions;
    this.#echo.begin(sessions, now, until);
  }

  /** Drops every connection. Each is reopened as soon as it has ended. */
  storm(): void {
    for (const session of this.#sessions?.all ?? []) {
      if (session.state !== 'open') continue;
      this.#storming.add(session);
      session.abandon();
    }
  }

  opened(session: Session): void {
    const { now } = this.#timelineRecorder;
    // `activeAt` is still the start of the opening.
    this.opens.push({ at: now, tookMs: now - session.activeAt });
    this.#echo.opened(session);
  }

  closed(session: Session, wasOpen: boolean): void {
    const { now, reason } = this.#timelineRecorder;
    this.#timelineRecorder.reason = '';
    if (this.#storming.delete(session)) {
      this.ends.push({ at: now, kind: 'dropped by the client' });
      this.#sessions?.open(session);
    } else if (reason !== '') {
      const hasFrame = CLOSE_CODE.test(reason) && reason !== String(CLOSE_ABNORMAL);
      const list = wasOpen ? this.ends : this.failures;
      list.push({ at: wasOpen && hasFrame ? session.activeAt : now, kind: reason });
    }
  }

  end(now: number): void {
    this.#echo.end(now);
  }
  get settled(): boolean {
    return this.#echo.settled;
  }
  giveUp(): void {
    this.#echo.giveUp();
  }
  message(session: Session, length: number): void {
    this.#echo.message(session, length);
  }
  pong(): void {
    // The crowd sends no pings.
  }
  readDone(session: Session): void {
    this.#echo.readDone(session);
  }
  drained(session: Session): void {
    this.#echo.drained(session);
  }
}
