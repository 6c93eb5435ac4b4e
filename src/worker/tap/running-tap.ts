import type { TapOrder, TapReport } from '../../protocol/tap.ts';
import { HandshakeSecrets } from '../../wire/redaction/handshake-secrets.ts';
import type { Redaction } from '../../wire/redaction/redaction.ts';
import type { SecretNames } from '../../wire/redaction/secret-names.ts';

/** Max reports of a tap that the primary has not acknowledged. */
const MAX_REPORTS_IN_FLIGHT = 4;
/** Characters of a report. Sending more would stop the worker for a millisecond. */
const REPORT_CHARACTERS = 32 * 1024;
/** Max waiting characters for another frame. Frames above it are lost. */
const MAX_FRAME_CHARACTERS = 256 * 1024;
/** Max waiting characters for another start or end of a session or tunnel, which are rarer. */
const MAX_CHARACTERS = 2 * MAX_FRAME_CHARACTERS;

/**
 * A tap in a worker: its order, the lines waiting for the next report, and the counts of lost frames and
 * sessions.
 */
export class RunningTap {
  readonly order: TapOrder;
  /** Null without rules. */
  readonly redaction: Redaction | null;
  /** Removes the secrets from handshakes. */
  readonly secrets: HandshakeSecrets;
  /** A list with only this tap. Most sessions have one tap and share the list. */
  readonly alone: readonly RunningTap[] = [this];
  readonly #send: (report: TapReport) => void;
  /** Whether the tap has ended: no more lines are added. */
  isOver = false;
  #lines = '';
  #lostFrames = 0;
  #lostSessions = 0;
  #inFlight = 0;

  /** @param send receives a report, which the primary acknowledges later */
  constructor(
    order: TapOrder,
    redaction: Redaction | null,
    secretNames: SecretNames,
    send: (report: TapReport) => void,
  ) {
    this.order = order;
    this.redaction = redaction;
    this.secrets = new HandshakeSecrets(redaction, secretNames);
    this.#send = send;
  }

  /**
   * Returns the reason of a session's end in the form shown by the tap. Undefined if hidden. Clients may
   * choose this text.
   */
  shownReason(reason: string | undefined): string | undefined {
    if (!this.order.payload || reason === undefined) return undefined;
    return this.redaction === null ? reason : (this.redaction.redactText(reason) ?? undefined);
  }

  /** Whether {@link addFrame} would add a line. If not, it only counts the frame. */
  get hasRoom(): boolean {
    return this.#lines.length < MAX_FRAME_CHARACTERS;
  }

  /**
   * Adds a frame's line with its newline. Returns false, and counts the frame as lost, if there is no room.
   */
  addFrame(line: string): boolean {
    if (!this.hasRoom) {
      this.#lostFrames++;
      return false;
    }
    this.#add(line);
    return true;
  }

  /** Adds the first or last line of a session or tunnel. Returns false if it is lost. */
  addStartOrEnd(line: string): boolean {
    if (this.#lines.length >= MAX_CHARACTERS) return false;
    this.#add(line);
    return true;
  }

  /** Counts frames as lost. */
  loseFrames(frames: number): void {
    this.#lostFrames += frames;
  }

  /** Counts a session or tunnel as lost. */
  loseSession(): void {
    this.#lostSessions++;
  }

  /** Handles the primary's acknowledgement of a report. */
  taken(): void {
    if (this.#inFlight > 0) this.#inFlight--;
  }

  /**
   * Sends the waiting lines, unless too many reports are unacknowledged.
   *
   * @param isLast whether to send regardless
   */
  flush(isLast = false): void {
    if (!isLast && this.#inFlight >= MAX_REPORTS_IN_FLIGHT) return;
    const lines = this.#lines;
    const lostFrames = this.#lostFrames;
    const lostSessions = this.#lostSessions;
    if (lines === '' && lostFrames === 0 && lostSessions === 0) return;
    this.#inFlight++;
    this.#lines = '';
    this.#lostFrames = this.#lostSessions = 0;
    this.#send({ type: 'tap', id: this.order.id, lines, lostFrames, lostSessions });
  }

  #add(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= REPORT_CHARACTERS) this.flush();
  }
}
