import type { FramePosition, SessionTap, TappedEnd } from '../../../telemetry/tap/tap.ts';
import { reservedBitsOf } from '../../../wire/frames/frame-tracker.ts';
import { OPCODE_CLOSE } from '../../../wire/frames/opcodes.ts';
import type { Withheld } from '../../../wire/recording/records.ts';
import { payloadFields, withheldField, withoutCode, type KnownPayload } from './payload-fields.ts';
import type { RunningTap } from '../running-tap.ts';
import type { TapState } from '../tap-state.ts';
import { FROM_CLIENT, FROM_ENDPOINT, TO_CLIENT, TO_ENDPOINT, endLine, frameStart } from '../tap-lines.ts';
import { WatchedDirection, type DirectionOwner } from './watched-direction.ts';
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
  #upstream: WatchedDirection | null = null;
  #downstream: WatchedDirection | null = null;

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
      this.#direction(fromClient).countWhole(opcode);
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
    if (!this.state.beginRead(direction.overdraftMs)) {
      direction.pass(position);
      return;
    }
    direction.read(position, input, start, end);
    frames.end();
  }

  #skip(fromClient: boolean, bytes: number): void {
    const { frames } = this.state;
    // Always allowed, because it is cheap: the skipped bytes are not read.
    frames.begin(Infinity);
    (fromClient ? this.#upstream : this.#downstream)?.skip(bytes);
    frames.end();
  }

  #reportEnd(end: TappedEnd): void {
    this.#upstream?.end(end.messagesUpstream);
    this.#downstream?.end(end.messagesDownstream);
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
    if (fromClient) return (this.#upstream ??= new WatchedDirection(this, true));
    return (this.#downstream ??= new WatchedDirection(this, false));
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
