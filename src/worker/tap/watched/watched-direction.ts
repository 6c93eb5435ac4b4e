import type { FramePosition } from '../../../telemetry/tap/tap.ts';
import { FrameObserver } from '../../../wire/frames/frame-observer.ts';
import { CONTROL_BIT, OPCODE_CLOSE, OPCODE_CONTINUATION } from '../../../wire/frames/opcodes.ts';
import type { Withheld } from '../../../wire/recording/records.ts';
import { HeldPayload } from './held-payload.ts';
import { MessageInflation } from './message-inflation.ts';
import { MAX_ASSEMBLED_BYTES, withoutCode, type KnownPayload } from './payload-fields.ts';
import type { TapState } from '../tap-state.ts';

const FIN = 0x80;
/** The reserved bit of permessage-deflate (RFC 7692 section 6). */
const DEFLATED = 0x40;
/** Overdraft of work that a gap would make useless: ten budgets of a tick. */
const GAP_OVERDRAFT_MS = 10;
const NOTHING = new Uint8Array(0);
/** Sessions are read one after the other. */
const MAX_SPARE = 4;

/** Receives the frames of a direction. */
export interface DirectionOwner {
  readonly state: TapState;
  /** Whether any tap shows payloads. */
  readonly showsPayload: boolean;
  /** Bytes needed of each message. Later bytes are not shown. */
  readonly neededBytes: number;
  /** Whether incomplete messages must be withheld, because there are redaction rules. */
  readonly needsWhole: boolean;
  /** Whether reserved bit 1 marks a compressed message. */
  readonly deflates: boolean;
  /** Value of Sec-WebSocket-Extensions agreed by both sides. */
  readonly extensions: string;
  /** Whether the session was watched from its start. */
  readonly isNew: boolean;
  /**
   * Called at the end of a frame.
   *
   * @param size bytes of the whole message, uncompressed; -1 if unknown or not complete
   * @param code a close frame's code; -1 without one
   * @param payload null without a payload to show
   */
  frameReported(
    fromClient: boolean,
    first: number,
    isCompressed: boolean,
    length: number,
    size: number,
    code: number,
    payload: KnownPayload | Withheld | null,
  ): void;
  /** Called when messages crossed unwatched. */
  framesLost(frames: number): void;
}

/** Knowledge of the current message: there is none, it was seen from its start, or its start was missed. */
type MessageView = 'none' | 'begun' | 'joined';

/** Idle directions of the thread. */
const spare: WatchedDirection[] = [];

/** Starts to watch a direction. @param counted see {@link WatchedDirection.counted} */
export function takeDirection(owner: DirectionOwner, fromClient: boolean, counted: number): WatchedDirection {
  const direction = spare.pop();
  direction?.restart(owner, fromClient, counted);
  return direction ?? new WatchedDirection(owner, fromClient, counted);
}

/** Keeps an idle direction for {@link takeDirection}. The caller forgets it. */
export function returnDirection(direction: WatchedDirection): void {
  if (spare.length < MAX_SPARE) spare.push(direction);
}

/**
 * Watches one direction of a session: finds its frames, assembles its messages, and counts lost ones. Once
 * {@link isIdle}, it may watch another session.
 */
export class WatchedDirection extends FrameObserver {
  #owner: DirectionOwner;
  #fromClient: boolean;
  #counted: number;
  /** Whether reading has ended, after a close frame or malformed data. */
  #isOver = false;
  #message: MessageView = 'none';
  /** Payload bytes of the current message, on the wire. */
  #messageBytes = 0;
  #isCompressed = false;
  #withheld: Withheld | null = null;
  /** Payload bytes of a single-frame message. -1 for other frames. */
  #onlyBytes = -1;
  #isControl = false;
  #held: HeldPayload | null = null;
  #heldControl: HeldPayload | null = null;
  /** Whether a compressed message may have crossed without being inflated. */
  #hasMissed: boolean;
  /** Null before the first compressed message. */
  #inflation: MessageInflation | null = null;

  /** @param counted see {@link counted} */
  constructor(owner: DirectionOwner, fromClient: boolean, counted: number) {
    super();
    this.#owner = owner;
    this.#fromClient = fromClient;
    this.#counted = counted;
    this.#hasMissed = !owner.isNew;
  }

  /** Watches another direction. Must be idle. @param counted see {@link counted} */
  restart(owner: DirectionOwner, fromClient: boolean, counted: number): void {
    this.detach();
    this.#owner = owner;
    this.#fromClient = fromClient;
    this.#counted = counted;
    this.#hasMissed = !owner.isNew;
    this.#held = this.#heldControl = null;
  }

  /**
   * Number of completed messages reported or counted as lost. -1 while the session's own count is unknown.
   */
  get counted(): number {
    return this.#counted;
  }

  /** Whether {@link counted} is all that later reads need to know: between two messages, uncompressed. */
  get isIdle(): boolean {
    return this.#message === 'none' && !this.#isOver && !this.#owner.deflates && this.isBetweenFrames;
  }

  /**
   * CPU time that a read may use beyond the budget. A gap hides the current message and, with context
   * takeover, all later ones.
   */
  get overdraftMs(): number {
    const { showsPayload, deflates } = this.#owner;
    if (!showsPayload || this.#isOver) return 0;
    if (this.#message === 'begun' && this.#withheld === null) return GAP_OVERDRAFT_MS;
    if (!deflates) return 0;
    const keepsContext = this.#inflation === null ? !this.#hasMissed : this.#inflation.keepsContext;
    return keepsContext ? GAP_OVERDRAFT_MS : 0;
  }

  /** Reads `input[start, end)`, received at a position. */
  read(position: FramePosition, input: Uint8Array, start: number, end: number): void {
    if (this.#isOver) return;
    const missed = this.#count(position.messages);
    if (this.isDetached) {
      if (missed > 0) this.#missContext();
      this.attach(position);
      if (position.payloadLeft > 0) {
        this.#missContext();
        this.#message = 'joined';
      }
    }
    this.observe(input, start, end);
  }

  /** Skips a read at a position. */
  pass({ messages }: FramePosition): void {
    if (this.#counted < 0) this.#counted = messages;
    this.#stopFollowing();
  }

  /** Stops following the frames until the next read. */
  #stopFollowing(): void {
    if (this.isDetached) return;
    this.detach();
    this.#heldControl?.release();
    if (this.#message !== 'none') this.#missContext();
    this.#endMessage();
  }

  /** Counts a message or control frame that an engine reported as a whole. */
  countWhole(opcode: number): void {
    if ((opcode & CONTROL_BIT) === 0 && this.#counted >= 0) this.#counted++;
  }

  /** Ends the observation at the session's end. @param messages number of all messages */
  end(messages: number): void {
    this.#count(messages);
    this.release();
  }

  /** Ends the observation and releases all memory. */
  release(): void {
    this.#isOver = true;
    this.detach();
    this.#held?.release();
    this.#heldControl?.release();
    this.#inflation?.release();
  }

  /** Counts messages as lost up to the given total. Returns the number of lost messages. */
  #count(messages: number): number {
    const missed = this.#counted < 0 ? 0 : messages - this.#counted;
    if (this.#counted < 0 || missed > 0) this.#counted = messages;
    if (missed > 0) this.#owner.framesLost(missed);
    return missed;
  }

  #missContext(): void {
    this.#hasMissed = true;
    this.#inflation?.missed();
  }

  #endMessage(): void {
    this.#message = 'none';
    this.#withheld = null;
    this.#held?.release();
  }

  protected override frameStarted(first: number, length: number): number {
    const { state, showsPayload, deflates } = this.#owner;
    const opcode = first & 0x0f;
    this.#isControl = (opcode & CONTROL_BIT) !== 0;
    if (this.#isControl) {
      if (!showsPayload) return 0;
      this.#heldControl ??= new HeldPayload(state);
      return length;
    }
    const isFirst = opcode !== OPCODE_CONTINUATION;
    if (isFirst) this.#beginMessage(deflates && (first & DEFLATED) !== 0);
    else if (this.#message === 'none') this.#joinMessage();
    this.#messageBytes += length;
    this.#onlyBytes = isFirst && (first & FIN) !== 0 ? length : -1;
    return this.#wantedOf(length);
  }

  #beginMessage(isCompressed: boolean): void {
    this.#endMessage();
    this.#message = 'begun';
    this.#messageBytes = 0;
    this.#isCompressed = isCompressed;
    const { showsPayload, isNew } = this.#owner;
    if (!showsPayload) {
      // A tap that starts inside the message must not show any part.
      this.#withhold('joined');
    } else if (isCompressed) {
      const { state, extensions } = this.#owner;
      const isWhole = isNew && !this.#hasMissed;
      this.#inflation ??= new MessageInflation(state, extensions, this.#fromClient, isWhole);
      if (!this.#inflation.isPossible) this.#withhold('compressed');
    }
  }

  #joinMessage(): void {
    this.#missContext();
    this.#message = 'joined';
    this.#isCompressed = false;
  }

  /** Returns the number of bytes wanted from the next frame. @param length length of the frame's payload */
  #wantedOf(length: number): number {
    if (this.#message !== 'begun' || this.#withheld !== null) return 0;
    if (this.#isCompressed && this.#messageBytes > MAX_ASSEMBLED_BYTES) {
      this.#withhold('compressed');
      return 0;
    }
    const held = this.#held?.length ?? 0;
    // Nothing is shown after a gap, even if a new tap wants more.
    if (held < this.#messageBytes - length) return 0;
    return Math.max(0, Math.min(length, this.#maxHeld() - held));
  }

  #maxHeld(): number {
    const { needsWhole, neededBytes } = this.#owner;
    return this.#isCompressed || needsWhole ? MAX_ASSEMBLED_BYTES : neededBytes;
  }

  #withhold(reason: Withheld): void {
    this.#withheld = reason;
    this.#held?.release();
    if (this.#isCompressed) this.#missContext();
  }

  protected override payloadReceived(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isControl) {
      this.#heldControl?.add(bytes, start, end, end - start);
      return;
    }
    if (this.#withheld !== null) return;
    const held = (this.#held ??= new HeldPayload(this.#owner.state));
    if (end - start === this.#onlyBytes) held.set(bytes, start, end);
    else if (!held.add(bytes, start, end, this.#maxHeld()))
      this.#withhold(this.#isCompressed ? 'compressed' : 'too_long');
  }

  protected override payloadMissed(): void {
    this.#withhold('joined');
  }

  protected override frameEnded(first: number, length: number, code: number): void {
    const { state } = this.#owner;
    if (this.#isControl) this.#reportControl(first, length, code);
    else if ((first & FIN) === 0) this.#report(first, length, -1, null);
    else this.#reportLast(first, length);
    if (!this.#isOver && state.isReadOver(this.overdraftMs)) this.#stopFollowing();
  }

  protected override frameInvalid(): void {
    this.release();
  }

  #reportControl(first: number, length: number, code: number): void {
    const held = this.#heldControl;
    let payload: KnownPayload | Withheld | null = null;
    if (this.#owner.showsPayload) {
      const bytes = held?.bytes;
      payload = bytes?.length === length ? { bytes: withoutCode(first, bytes), isWhole: true } : 'joined';
    }
    this.#owner.frameReported(this.#fromClient, first, false, length, -1, code, payload);
    held?.release();
    if ((first & 0x0f) === OPCODE_CLOSE) this.release();
  }

  /** Reports the last frame of a message, with the message. */
  #reportLast(first: number, length: number): void {
    const payload = this.#finish();
    const isKnown = this.#message === 'begun' && !this.#isCompressed;
    const inflated = payload !== null && typeof payload !== 'string' ? payload.bytes.length : -1;
    this.#counted++;
    this.#report(first, length, isKnown ? this.#messageBytes : inflated, payload);
    this.#endMessage();
  }

  /** Returns the part to show of the current message, which is now complete. */
  #finish(): KnownPayload | Withheld | null {
    const isShown = this.#owner.showsPayload;
    if (this.#message === 'joined') return isShown ? 'joined' : null;
    if (!isShown || this.#withheld !== null) {
      if (this.#isCompressed) this.#missContext();
      return isShown ? this.#withheld : null;
    }
    const bytes = this.#held?.bytes ?? NOTHING;
    if (!this.#isCompressed) return { bytes, isWhole: bytes.length === this.#messageBytes };
    const inflated = this.#inflation?.inflate(bytes) ?? null;
    return inflated === null ? 'compressed' : { bytes: inflated, isWhole: true };
  }

  #report(first: number, length: number, size: number, payload: KnownPayload | Withheld | null): void {
    this.#owner.frameReported(this.#fromClient, first, this.#isCompressed, length, size, -1, payload);
  }
}
