import type { TapOrder, TapReport } from '../../protocol/tap.ts';
import { HandshakeSecrets } from '../../wire/redaction/handshake-secrets.ts';
import type { Redaction } from '../../wire/redaction/redaction.ts';
import type { SecretNames } from '../../wire/redaction/secret-names.ts';

/** Max reports of a tap that the primary has not acknowledged. */
const MAX_REPORTS_IN_FLIGHT = 4;
/** Characters of a report. Sending more would stop the worker for a millisecond. */
const REPORT_CHARACTERS = 32 * 1024;
/**
 * Min time between two reports below {@link REPORT_CHARACTERS}. The first line after a pause is sent at once.
 * Sending costs about a millisecond while the processor's caches are cold, so more reports would delay
 * sessions.
 */
export const MIN_REPORT_INTERVAL_MS = 250;
/** Max waiting characters for another frame. Frames above it are lost. */
const MAX_FRAME_CHARACTERS = 256 * 1024;
/** Max waiting characters for another start or end of a session or tunnel, which are rarer. */
const MAX_CHARACTERS = 2 * MAX_FRAME_CHARACTERS;

/** Sends the reports of taps. */
interface ReportSender {
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly send: (report: TapReport) => void;
}

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
  readonly #sender: ReportSender;
  /** Number of reports that the primary has taken. Shared with it. */
  readonly #taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Whether the tap has ended: no more lines are added. */
  isOver = false;
  #lines = '';
  #lostFrames = 0;
  #lostSessions = 0;
  #sent = 0;
  #sentAt = -Infinity;

  constructor(order: TapOrder, redaction: Redaction | null, secretNames: SecretNames, sender: ReportSender) {
    this.order = order;
    this.redaction = redaction;
    this.secrets = new HandshakeSecrets(redaction, secretNames);
    this.#sender = sender;
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

  /** Sends the waiting lines if the last report is old enough. */
  tick(): void {
    if (this.#isDue) this.#flush();
  }

  /** Sends the last lines, because the worker ends. */
  end(): void {
    this.#send();
  }

  get #isDue(): boolean {
    return this.#sender.now() - this.#sentAt >= MIN_REPORT_INTERVAL_MS;
  }

  /** Sends the waiting lines, unless the primary has too many reports to take. */
  #flush(): void {
    if (this.#sent - Atomics.load(this.#taken, 0) < MAX_REPORTS_IN_FLIGHT) this.#send();
  }

  #send(): void {
    const lines = this.#lines;
    const lostFrames = this.#lostFrames;
    const lostSessions = this.#lostSessions;
    if (lines === '' && lostFrames === 0 && lostSessions === 0) return;
    this.#sent++;
    this.#sentAt = this.#sender.now();
    this.#lines = '';
    this.#lostFrames = this.#lostSessions = 0;
    const taken = this.#taken;
    this.#sender.send({ type: 'tap', id: this.order.id, lines, lostFrames, lostSessions, taken });
  }

  #add(line: string): void {
    this.#lines += line;
    // Sending costs less right after the code of taps than in a tick, when the processor's caches are cold.
    if (this.#lines.length >= REPORT_CHARACTERS || this.#isDue) this.#flush();
  }
}
