import { reservedBitsOf } from '../../../wire/frames/frame-tracker.ts';
import { OPCODE_CLOSE } from '../../../wire/frames/opcodes.ts';
import type { Withheld } from '../../../wire/recording/records.ts';
import type { SessionEvent } from './event-queue.ts';
import {
  MAX_ASSEMBLED_BYTES,
  payloadFields,
  withheldField,
  withoutCode,
  type KnownPayload,
} from './payload-fields.ts';
import type { RunningTap } from '../running-tap.ts';
import type { TapState } from '../tap-state.ts';
import { FROM_CLIENT, FROM_ENDPOINT, TO_CLIENT, TO_ENDPOINT, endLine, frameStart } from '../tap-lines.ts';
import { QueuedSession } from './queued-session.ts';
import {
  returnDirection,
  takeDirection,
  type DirectionOwner,
  type WatchedDirection,
} from './watched-direction.ts';

const FIN = 0x80;

/** Watches one session for all of its taps: frames are parsed once, and each tap gets its lines. */
export class WatchedSession extends QueuedSession implements DirectionOwner {
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
  /** Time of the event that is being handled. */
  #at = 0;

  /**
   * @param id as in `GET /sessions`
   * @param extensions agreed value of Sec-WebSocket-Extensions
   * @param isNew whether the session is about to open
   */
  constructor(state: TapState, id: string, extensions: string, isNew: boolean) {
    super(state, id);
    this.extensions = extensions;
    this.deflates = isDeflate(extensions);
    this.isNew = isNew;
    this.#countedUpstream = this.#countedDownstream = isNew ? 0 : -1;
  }

  protected override mustFollow(fromClient: boolean): boolean {
    const direction = fromClient ? this.#upstream : this.#downstream;
    if (direction !== null) return direction.overdraftMs > 0;
    return this.deflates && this.isNew && this.showsPayload;
  }

  protected override isCounted(fromClient: boolean): boolean {
    if (fromClient) return this.#upstream !== null || this.#countedUpstream >= 0;
    return this.#downstream !== null || this.#countedDownstream >= 0;
  }

  protected override neededOfWhole(): number {
    if (!this.showsPayload) return 0;
    return this.needsWhole ? MAX_ASSEMBLED_BYTES : this.neededBytes;
  }

  protected override countWhole(fromClient: boolean, opcode: number): void {
    const direction = this.#direction(fromClient);
    direction.countWhole(opcode);
    this.#releaseIdle(fromClient, direction);
  }

  protected override handleEvent(event: SessionEvent): void {
    const { fromClient } = event;
    switch (event.kind) {
      case 'frames':
        this.#read(event);
        break;
      case 'skipped':
        this.#skip(event);
        break;
      case 'message':
        this.#reportWhole(event, fromClient ? FROM_CLIENT : FROM_ENDPOINT);
        break;
      case 'sent':
        this.#reportWhole(event, fromClient ? TO_CLIENT : TO_ENDPOINT);
        break;
      case 'end':
        this.#reportEnd(event);
    }
  }

  #read(event: SessionEvent): void {
    const { fromClient, bytes, start, end } = event;
    const { frames } = this.state;
    const direction = this.#direction(fromClient);
    this.#at = event.at;
    if (event.isAfterGap) direction.pass(event);
    if (this.state.beginRead(direction.overdraftMs)) {
      direction.read(event, bytes, start, end);
      frames.end();
    } else {
      direction.pass(event);
    }
    this.#releaseIdle(fromClient, direction);
  }

  #skip({ fromClient, length }: SessionEvent): void {
    const { frames } = this.state;
    // Always allowed, because it is cheap: the skipped bytes are not read.
    frames.begin(Infinity);
    (fromClient ? this.#upstream : this.#downstream)?.skip(length);
    frames.end();
  }

  #reportEnd({ at, ending }: SessionEvent): void {
    const end = ending!;
    this.#at = at;
    this.#direction(true).end(end.messagesUpstream);
    this.#direction(false).end(end.messagesDownstream);
    const time = this.state.timeOf(at);
    this.close((tap) => endLine(this.id, time, end, tap.shownReason(end.reason)));
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

  /** Reports a message or control frame that was sent or arrived as a whole. */
  #reportWhole({ at, opcode, bytes, start, end, length }: SessionEvent, sender: string): void {
    const { frames } = this.state;
    if (!this.state.beginRead()) {
      this.loseFrames(1);
      return;
    }
    this.#at = at;
    const payload = bytes.subarray(start, end);
    const code = opcode === OPCODE_CLOSE && length >= 2 ? payload.readUInt16BE(0) : -1;
    const isWhole = payload.length === length;
    const known = this.showsPayload ? { bytes: withoutCode(opcode, payload), isWhole } : null;
    this.#report(sender, FIN | opcode, false, length, -1, code, known);
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
        line = frameStart(
          this.id,
          this.state.timeOf(this.#at),
          sender,
          first,
          isCompressed,
          length,
          size,
          code,
        );
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

let lastExtensions = '';
let wasDeflate = false;

/** Whether reserved bit 1 marks compressed messages. Most sessions agree on the same extensions. */
function isDeflate(extensions: string): boolean {
  if (extensions !== lastExtensions) {
    lastExtensions = extensions;
    wasDeflate = reservedBitsOf(extensions) === 'deflate';
  }
  return wasDeflate;
}

/** Returns the payload in the tap's form, as fields of a line. Empty if the tap shows none. */
function shownBy({ order, redaction }: RunningTap, payload: KnownPayload | Withheld | null): string {
  if (payload === null || !order.payload) return '';
  if (typeof payload === 'string') return withheldField(payload);
  return payloadFields(payload, { maxBytes: order.maxPayloadBytes, redaction });
}
