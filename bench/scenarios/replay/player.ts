import type { Expectation } from '../../options/plan.ts';
import type { RecordedClient } from '../../recorded/recorded-clients.ts';
import {
  CLIENT_CLOSE,
  CLIENT_DROP,
  FINISH,
  REPLY_BINARY,
  REPLY_CLOSE,
  REPLY_TEXT,
  SEND_PING,
  type EventLog,
} from '../../recorded/event-log.ts';
import { SentRing } from '../../driver/sessions/sent-ring.ts';
import { describeClose, type ReplyCheck } from './reply-check.ts';
import type { Entrant } from './opening-gate.ts';
import type { Scheduled } from './timetable.ts';

/** The session that a {@link Player} uses. */
export interface PlayedSession {
  readonly index: number;
  readonly state: 'closed' | 'opening' | 'open' | 'closing' | 'ended';
  readonly choked: boolean;
  readonly closeCode: number;
  readonly hasFailed: boolean;
  mayClose: boolean;
  write(bytes: Uint8Array): void;
  close(code?: number): void;
  abandon(): void;
  fail(kind: string): void;
}

/** Shared context of a thread's players. */
export interface Stage {
  readonly log: EventLog;
  readonly expect: Expectation;
  readonly speed: number;
  readonly timeoutMs: number;
  readonly check: ReplyCheck;
  readonly results: PlayResults;
  now(): number;
  /** Schedules the player at a time on the clock of {@link now}. */
  schedule(player: Scheduled, at: number): void;
  cancel(player: Scheduled): void;
  /** Returns true if the connection may open at once. Otherwise the player waits for admission. */
  enter(player: Entrant): boolean;
  /**
   * Opens a player's session with the client's handshake.
   *
   * @param index index of the session
   */
  open(index: number, client: RecordedClient): void;
  /** Returns the frame of a client's event. */
  frameOf(event: number): Uint8Array;
  /** Called when the player has played all its clients. */
  finished(): void;
}

/** Counts what the players of a thread do. */
export interface PlayResults {
  /** Called when a client starts. */
  began(): void;
  /** Called when a client's connection may open after a wait for other openings, which began at `since`. */
  delayed(since: number): void;
  /**
   * Called when a client ends.
   *
   * @param isGood whether it was played as recorded
   */
  ended(isGood: boolean): void;
  /** Called when a message that was due at `due` is sent. */
  sent(due: number, bytes: number): void;
  /** Called when a message arrives. */
  arrived(bytes: number): void;
  /** Called when a message arrives that is not in the recording. */
  unsolicited(): void;
  /** Called for the first reply to a message that was sent at `since`. */
  answered(since: number): void;
  /** Called when a difference turns up after the session closed. It counts as an error. */
  error(kind: string): void;
  /** Called when an event differs from the recording. */
  differed(client: RecordedClient, what: string): void;
}

/** Plays recorded clients on one connection, one after another. */
export class Player implements Scheduled, Entrant {
  heapIndex = -1;
  dueAt = 0;
  readonly #stage: Stage;
  readonly #session: PlayedSession;
  /** Clients of this connection, and the index of the next one. */
  readonly #clients: readonly RecordedClient[];
  #next = 0;
  /** Start of the recording's first client. */
  #startAt = 0;
  #client: RecordedClient | null = null;
  /** When the client asked to open its connection, and how long it waited for admission. */
  #enteredAt = 0;
  #delay = 0;
  #openedAt = 0;
  /** The next event, and the next reply to compare if `same` replies are expected. */
  #event = -1;
  #reply = -1;
  /** Recorded replies before the next event, and replies received. */
  #expected = 0;
  #received = 0;
  /** Deadline of what the next event waits for: replies or a close. 0 without a wait. */
  #deadline = 0;
  /** Whether the client was played to its end. */
  #isPlayed = false;
  /** For each message without a reply yet: the number of recorded replies before it, and its send time. */
  readonly #thresholds = new SentRing();
  readonly #sentAt = new SentRing();

  constructor(stage: Stage, session: PlayedSession, clients: readonly RecordedClient[]) {
    this.#stage = stage;
    this.#session = session;
    this.#clients = clients;
  }

  /** The current client. Null between two clients. */
  get client(): RecordedClient | null {
    return this.#client;
  }

  /**
   * Schedules the first client.
   *
   * @param startAt start of the recording's first client
   */
  begin(startAt: number): void {
    this.#startAt = startAt;
    this.#scheduleNext();
  }

  due(): void {
    if (this.#client === null) this.#start();
    else this.#advance();
  }

  /** Opens the connection of a client that waited for admission. */
  admitted(): void {
    const stage = this.#stage;
    this.#delay = stage.now() - this.#enteredAt;
    stage.results.delayed(this.#enteredAt);
    stage.open(this.#session.index, this.#client!);
  }

  /** Called when the session is open. */
  opened(): void {
    this.#openedAt = this.#stage.now();
    this.#session.mayClose = this.#stage.expect === 'none' && this.#endsByEndpoint();
    this.#advance();
  }

  /** Called when a message arrives. See `ReplySink.replyMessage` for the parameters. */
  message(length: number, bytes: Buffer, start: number, available: number, isText: boolean): void {
    const client = this.#client;
    if (client === null || this.#isPlayed) return;
    const { results, expect } = this.#stage;
    const place = this.#received++;
    results.arrived(length);
    while (this.#thresholds.length > 0 && this.#thresholds.first <= place) {
      this.#thresholds.shift();
      results.answered(this.#sentAt.shift());
    }
    if (expect === 'none') return;
    if (place >= client.replies) {
      // Servers with state, such as a chat, send more during a replay.
      if (expect === 'count' || client.isUnended) {
        results.unsolicited();
        return;
      }
      this.#differs('reply: more than recorded', `message ${place + 1} came, ${client.replies} are recorded`);
      return;
    }
    if (expect === 'same' && !this.#isSame(place, length, bytes.subarray(start, start + available), isText))
      return;
    if (this.#deadline === 0) return;
    // The next reply gets the full timeout.
    this.#deadline = 0;
    this.#advance();
  }

  /** Called when the session can write again. */
  drained(): void {
    if (this.#client !== null && !this.#isPlayed) this.#advance();
  }

  /** Called when the session closes or fails to open. */
  closed(): void {
    const client = this.#client;
    if (client === null) return;
    this.#stage.cancel(this);
    this.#stage.results.ended(this.#isPlayed || this.#closedAsRecorded(client));
    this.#client = null;
    this.#thresholds.clear();
    this.#sentAt.clear();
    this.#scheduleNext();
  }

  #scheduleNext(): void {
    const next = this.#clients[this.#next];
    if (next === undefined) this.#stage.finished();
    else this.#stage.schedule(this, this.#startAt + next.startMs / this.#stage.speed);
  }

  #start(): void {
    const client = this.#clients[this.#next++]!;
    this.#client = client;
    this.#event = this.#reply = client.firstEvent;
    this.#expected = this.#received = this.#deadline = 0;
    this.#isPlayed = false;
    this.#stage.results.began();
    this.#delay = 0;
    this.#enteredAt = this.#stage.now();
    if (this.#stage.enter(this)) this.#stage.open(this.#session.index, client);
  }

  /** Plays every event that is due. */
  #advance(): void {
    const stage = this.#stage;
    const session = this.#session;
    while (session.state === 'open' && !this.#isPlayed) {
      this.#passReplies();
      const due = this.#openedAt + stage.log.time(this.#event) / stage.speed;
      const now = stage.now();
      const kind = stage.log.kind(this.#event);
      if (kind === REPLY_CLOSE && stage.expect !== 'none') session.mayClose = true;
      if (now < due) {
        stage.schedule(this, due);
        return;
      }
      const isWaiting = stage.expect !== 'none' && (this.#received < this.#expected || kind === REPLY_CLOSE);
      if (isWaiting) {
        this.#wait(now, kind);
        return;
      }
      this.#deadline = 0;
      // Events that become due while the session is choked are sent after `drained`.
      if (session.choked) return;
      this.#play(kind, due);
    }
  }

  /** Skips the replies before the client's next event, and adds them to the expected ones. */
  #passReplies(): void {
    const { log } = this.#stage;
    for (;;) {
      const kind = log.kind(this.#event);
      if (kind !== REPLY_TEXT && kind !== REPLY_BINARY) return;
      this.#expected++;
      this.#event = log.next(this.#event);
    }
  }

  #wait(now: number, kind: number): void {
    const stage = this.#stage;
    if (this.#deadline === 0) this.#deadline = now + stage.timeoutMs;
    if (now < this.#deadline) {
      stage.schedule(this, this.#deadline);
      return;
    }
    const missing = this.#expected - this.#received;
    if (missing > 0) {
      this.#differs('timeout: no reply', `${this.#received} of ${this.#expected} messages came in time`);
    } else if (kind === REPLY_CLOSE) {
      this.#differs('timeout: no close', 'the server has not closed');
    }
  }

  /** Repeats an action of the client. */
  #play(kind: number, due: number): void {
    const { log, results } = this.#stage;
    const session = this.#session;
    const event = this.#event;
    switch (kind) {
      case CLIENT_CLOSE:
        this.#isPlayed = true;
        session.close(log.size(event));
        return;
      case CLIENT_DROP:
        this.#isPlayed = true;
        session.abandon();
        return;
      case FINISH:
      case REPLY_CLOSE:
        this.#isPlayed = true;
        session.close();
        return;
    }
    session.write(this.#stage.frameOf(event));
    this.#event = log.next(event);
    if (kind === SEND_PING) return;
    results.sent(due - this.#delay, log.size(event));
    if (this.#client!.replies > this.#expected) {
      this.#thresholds.push(this.#expected);
      this.#sentAt.push(this.#stage.now());
    }
  }

  #isSame(place: number, length: number, bytes: Buffer, isText: boolean): boolean {
    const { log, check } = this.#stage;
    while (log.kind(this.#reply) !== REPLY_TEXT && log.kind(this.#reply) !== REPLY_BINARY) {
      this.#reply = log.next(this.#reply);
    }
    const problem = check.compare(this.#reply, length, bytes, isText);
    this.#reply = log.next(this.#reply);
    if (problem === null) return true;
    this.#differs('reply: other than recorded', `message ${place + 1}: ${problem}`);
    return false;
  }

  #differs(kind: string, what: string): void {
    this.#stage.results.differed(this.#client!, what);
    this.#session.fail(kind);
  }

  /**
   * Returns whether the endpoint closed as recorded. If the session did not count a difference as an error,
   * counts it here.
   */
  #closedAsRecorded(client: RecordedClient): boolean {
    const { log, expect, results } = this.#stage;
    const session = this.#session;
    if (!session.mayClose || session.hasFailed) return false;
    if (expect === 'none') return true;
    if (this.#received < this.#expected) {
      results.differed(client, `${this.#received} of ${this.#expected} messages came before the close`);
      results.error('reply: fewer than recorded');
      return false;
    }
    const code = log.size(this.#event);
    if (expect === 'count' || session.closeCode === code) return true;
    results.differed(client, describeClose(code, session.closeCode));
    results.error('close: other code than recorded');
    return false;
  }

  #endsByEndpoint(): boolean {
    const { log } = this.#stage;
    let event = this.#event;
    while (event >= 0 && log.kind(event) !== REPLY_CLOSE) event = log.next(event);
    return event >= 0;
  }
}
