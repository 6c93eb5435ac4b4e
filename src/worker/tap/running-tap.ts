import type { TapOrder, TapReport } from '../../protocol/tap.ts';
import { HandshakeSecrets } from '../../wire/redaction/handshake-secrets.ts';
import type { Redaction } from '../../wire/redaction/redaction.ts';
import type { SecretNames } from '../../wire/redaction/secret-names.ts';

/** Max reports of a tap that the primary has not taken yet. */
const MAX_REPORTS_UNDER_WAY = 4;
/** Characters of a report: to send many at once would stop the worker for a millisecond. */
const REPORT_CHARACTERS = 32 * 1024;
/** Frames are told until this many characters wait for the next report. */
const MAX_FRAME_CHARACTERS = 256 * 1024;
/** Beginnings and ends of sessions and tunnels are told until this many wait: there are fewer of them. */
const MAX_CHARACTERS = 2 * MAX_FRAME_CHARACTERS;

/** A tap in a worker: its order, the lines that wait for the next report, and counts of what is lost. */
export class RunningTap {
  readonly order: TapOrder;
  /** Null without rules. */
  readonly redaction: Redaction | null;
  /** Cuts the secrets out of handshakes. */
  readonly secrets: HandshakeSecrets;
  /** A list of this tap alone: most sessions have one tap, and share it. */
  readonly alone: readonly RunningTap[] = [this];
  readonly #send: (report: TapReport) => void;
  /** Whether the tap has ended: nothing is added any more. */
  isOver = false;
  #lines = '';
  #lostFrames = 0;
  #lostSessions = 0;
  #underWay = 0;

  /** @param send takes a report, of which the primary tells later that it has been taken */
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

  /** Returns the reason of a session's end as the tap shows it; undefined if it does not. It may be a client's text. */
  shownReason(reason: string | undefined): string | undefined {
    if (!this.order.payload || reason === undefined) return undefined;
    return this.redaction === null ? reason : (this.redaction.text(reason) ?? undefined);
  }

  /** Whether {@link addFrame} would add a line. If not, it only counts the frame. */
  get hasRoom(): boolean {
    return this.#lines.length < MAX_FRAME_CHARACTERS;
  }

  /** Adds the line of a frame, with a newline at its end. Returns false if the frame is lost, which is counted. */
  addFrame(line: string): boolean {
    if (!this.hasRoom) {
      this.#lostFrames++;
      return false;
    }
    this.#add(line);
    return true;
  }

  /** Adds the first or last line of a session or tunnel. Returns false if it is lost. */
  addPlace(line: string): boolean {
    if (this.#lines.length >= MAX_CHARACTERS) return false;
    this.#add(line);
    return true;
  }

  /** Counts frames that are not told. */
  loseFrames(frames: number): void {
    this.#lostFrames += frames;
  }

  /** Counts a session or tunnel that is not shown. */
  loseSession(): void {
    this.#lostSessions++;
  }

  /** The primary has taken a report. */
  taken(): void {
    if (this.#underWay > 0) this.#underWay--;
  }

  /** Sends what waits, unless too many reports are under way. @param isLast sends it in any case */
  flush(isLast = false): void {
    if (!isLast && this.#underWay >= MAX_REPORTS_UNDER_WAY) return;
    const lines = this.#lines;
    const lostFrames = this.#lostFrames;
    const lostSessions = this.#lostSessions;
    if (lines === '' && lostFrames === 0 && lostSessions === 0) return;
    this.#underWay++;
    this.#lines = '';
    this.#lostFrames = this.#lostSessions = 0;
    this.#send({ type: 'tap', id: this.order.id, lines, lostFrames, lostSessions });
  }

  #add(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= REPORT_CHARACTERS) this.flush();
  }
}
