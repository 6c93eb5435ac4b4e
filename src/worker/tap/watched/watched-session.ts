import type { FramePosition, SessionTap, TappedEnd } from '../../../telemetry/tap/tap.ts';
import { reservedBitsOf } from '../../../wire/frames/frame-tracker.ts';
import { OPCODE_CLOSE } from '../../../wire/frames/opcodes.ts';
import type { Withheld } from '../../../wire/recording/records.ts';
import { payloadFields, withheldField, withoutCode, type KnownPayload } from './payload-fields.ts';
import type { RunningTap } from '../running-tap.ts';
import type { TapState } from '../tap-state.ts';
import { FROM_CLIENT, FROM_ENDPOINT, TO_CLIENT, TO_ENDPOINT, endLine, frameStart } from '../tap-lines.ts';
import {
  returnDirection,
  takeDirection,
  type DirectionOwner,
  type WatchedDirection,
} from './watched-direction.ts';
import { Watched } from './watched.ts';

const FIN = 0x80;

/** Watches one session for all of its taps: frames are parsed once, and each tap gets its lines. */
export class WatchedSession extends Watched implements SessionTap, DirectionOwner {
  readonly extensions: string;
  readonly deflates: boolean;
  readonly isNew: boolean;
  showsPayload = false;
  neededBytes = 0;
  needsWhole = false;
  /** Null while idle, and before the first read. */
  #upstream: WatchedDirection | null = null;
  #downstream: WatchedDirection | null = null;
  /** `WatchedDirection.counted` of the idle directions. */
  #countedUpstream: number;
  #countedDownstream: number;

  /**
   * @param id as in `GET /sessions`
   * @param extensions agreed value of Sec-WebSocket-Extensions
   * @param isNew whether the session is about to open
   */
  constructor(state: TapState, id: string, extensions: string, isNew: boolean) {
    super(state, id);
    this.extensions = extensions;
    this.deflates = reservedBitsOf(extensions) === 'deflate';
    this.isNew = isNew;
    this.#countedUpstream = this.#countedDownstream = isNew ? 0 : -1;
  }

  opened(): void {
    try {
      this.open('session');
    } catch (error) {
      this.fail(error);
    }
  }

  received(
    fromClient: boolean,
    position: FramePosition,
    input: Uint8Array,
    start: number,
    end: number,
  ): void {
    try {
      if (this.isWanted()) this.#read(fromClient, position, input, start, end);
    } catch (error) {
      this.fail(error);
    }
  }

  skipped(fromClient: boolean, bytes: number): void {
    try {
      if (this.isWanted()) this.#skip(fromClient, bytes);
    } catch (error) {
      this.fail(error);
    }
  }

  message(fromClient: boolean, opcode: number, payload: Uint8Array): void {
    try {
      if (!this.isWanted()) return;
      const direction = this.#direction(fromClient);
      direction.countWhole(opcode);
      this.#releaseIdle(fromClient, direction);
      this.#reportWhole(fromClient ? FROM_CLIENT : FROM_ENDPOINT, opcode, payload);
    } catch (error) {
      this.fail(error);
    }
  }

  sent(toClient: boolean, opcode: number, payload: Uint8Array): void {
    try {
      if (this.isWanted()) this.#reportWhole(toClient ? TO_CLIENT : TO_ENDPOINT, opcode, payload);
    } catch (error) {
      this.fail(error);
    }
  }

  ended(end: TappedEnd): void {
    try {
      this.#reportEnd(end);
    } catch (error) {
      this.fail(error);
    }
  }

  #read(fromClient: boolean, position: FramePosition, input: Uint8Array, start: number, end: number): void {
    const { frames } = this.state;
    const direction = this.#direction(fromClient);
    if (this.state.beginRead(direction.overdraftMs)) {
      direction.read(position, input, start, end);
      frames.end();
    } else {
      direction.pass(position);
    }
    this.#releaseIdle(fromClient, direction);
  }

  #skip(fromClient: boolean, bytes: number): void {
    const { frames } = this.state;
    // Always allowed, because it is cheap: the skipped bytes are not read.
    frames.begin(Infinity);
    (fromClient ? this.#upstream : this.#downstream)?.skip(bytes);
    frames.end();
  }

  #reportEnd(end: TappedEnd): void {
    this.#direction(true).end(end.messagesUpstream);
    this.#direction(false).end(end.messagesDownstream);
    const at = this.state.at();
    this.close((tap) => endLine(this.id, at, end, tap.shownReason(end.reason)));
  }

  frameReported(
    fromClient: boolean,
    first: number,
    isCompressed: boolean,
    length: number,
    size: number,
    code: number,
    payload: KnownPayload | Withheld | null,
  ): void {
    this.#report(fromClient ? FROM_CLIENT : FROM_ENDPOINT, first, isCompressed, length, size, code, payload);
  }

  framesLost(frames: number): void {
    this.loseFrames(frames);
  }

  /** Reports a message or control frame that arrived as a whole. */
  #reportWhole(sender: string, opcode: number, payload: Uint8Array): void {
    const { frames } = this.state;
    if (!this.state.beginRead()) {
      this.loseFrames(1);
      return;
    }
    const bytes = withoutCode(opcode, payload);
    const code = opcode === OPCODE_CLOSE && payload.length >= 2 ? (payload[0]! << 8) | payload[1]! : -1;
    const known = this.showsPayload ? { bytes, isWhole: true } : null;
    this.#report(sender, FIN | opcode, false, payload.length, -1, code, known);
    frames.end();
  }

  #report(
    sender: string,
    first: number,
    isCompressed: boolean,
    length: number,
    size: number,
    code: number,
    payload: KnownPayload | Withheld | null,
  ): void {
    const { counters } = this.state;
    let line = '';
    for (const tap of this.taps) {
      if (line === '' && tap.hasRoom)
        line = frameStart(this.id, this.state.at(), sender, first, isCompressed, length, size, code);
      const isTold = tap.addFrame(tap.hasRoom ? `${line}${shownBy(tap, payload)}}\n` : '');
      if (isTold) counters.shown();
      else counters.lost('lines', 1);
    }
  }

  #direction(fromClient: boolean): WatchedDirection {
    if (fromClient) return (this.#upstream ??= takeDirection(this, true, this.#countedUpstream));
    return (this.#downstream ??= takeDirection(this, false, this.#countedDownstream));
  }

  /**
   * Keeps only the count of an idle direction. Most reads end between two messages, and collecting garbage
   * takes milliseconds while thousands of sessions get new objects.
   */
  #releaseIdle(fromClient: boolean, direction: WatchedDirection): void {
    // The session may have failed meanwhile.
    if (!direction.isIdle || (fromClient ? this.#upstream : this.#downstream) !== direction) return;
    if (fromClient) {
      this.#upstream = null;
      this.#countedUpstream = direction.counted;
    } else {
      this.#downstream = null;
      this.#countedDownstream = direction.counted;
    }
    returnDirection(direction);
  }

  protected override tapsChanged(): void {
    const shown = this.taps.filter(({ order }) => order.payload);
    this.showsPayload = shown.length > 0;
    this.neededBytes = Math.max(0, ...shown.map(({ order }) => order.maxPayloadBytes));
    this.needsWhole = shown.some(({ redaction }) => redaction !== null);
  }

  protected override stopped(): void {
    this.#upstream?.release();
    this.#downstream?.release();
    this.#upstream = this.#downstream = null;
  }
}

/** Returns the payload in the tap's form, as fields of a line. Empty if the tap shows none. */
function shownBy({ order, redaction }: RunningTap, payload: KnownPayload | Withheld | null): string {
  if (payload === null || !order.payload) return '';
  if (typeof payload === 'string') return withheldField(payload);
  return payloadFields(payload, { maxBytes: order.maxPayloadBytes, redaction });
}
