import type { FramePosition, SessionTap, TappedEnd } from '../../../telemetry/tap/tap.ts';
import { CONTROL_BIT } from '../../../wire/frames/opcodes.ts';
import type { EventKind, SessionEvent } from './event-queue.ts';
import { Watched } from './watched.ts';

/** Bits of the sides whose last reads were skipped. */
const CLIENT_GAP = 1;
const ENDPOINT_GAP = 2;

/** Copies the events of one session into the queue of the taps. Skips reads while the taps have no CPU time. */
export abstract class QueuedSession extends Watched implements SessionTap {
  #gaps = 0;

  /** Handles an event, while a tap watches the session. */
  protected abstract handleEvent(event: SessionEvent): void;
  /** Whether a skipped read of a side would hide its later messages. */
  protected abstract mustFollow(fromClient: boolean): boolean;
  /** Whether the number of a side's messages is known, so that skipped ones are counted as lost. */
  protected abstract isCounted(fromClient: boolean): boolean;
  /** Max bytes needed of a whole message. */
  protected abstract neededOfWhole(): number;
  /** Counts a message that arrived as a whole. */
  protected abstract countWhole(fromClient: boolean, opcode: number): void;

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
      const now = this.state.startEvent();
      if (this.isWanted()) this.#addRead(now, fromClient, position, input, start, end);
    } catch (error) {
      this.fail(error);
    }
  }

  skipped(fromClient: boolean, bytes: number): void {
    try {
      const now = this.state.startEvent();
      if (this.isWanted()) this.#add(now, 'skipped', fromClient, 0, true)!.length = bytes;
    } catch (error) {
      this.fail(error);
    }
  }

  message(fromClient: boolean, opcode: number, payload: Uint8Array): void {
    this.#addWhole('message', fromClient, opcode, payload);
  }

  sent(toClient: boolean, opcode: number, payload: Uint8Array): void {
    this.#addWhole('sent', toClient, opcode, payload);
  }

  ended(end: TappedEnd): void {
    try {
      const now = this.state.startEvent();
      if (this.isWanted()) this.#add(now, 'end', true, 0, true)!.ending = end;
      else this.close(() => '');
    } catch (error) {
      this.fail(error);
    }
  }

  /** Handles an event of the queue. */
  handle(event: SessionEvent): void {
    try {
      if (this.isWanted()) this.handleEvent(event);
      else if (event.kind === 'end') this.close(() => '');
    } catch (error) {
      this.fail(error);
    }
  }

  #add(
    now: number,
    kind: EventKind,
    fromClient: boolean,
    bytes: number,
    isForced: boolean,
  ): SessionEvent | null {
    const event = this.state.events.add(bytes, isForced);
    if (event === null) return null;
    event.owner = this;
    event.kind = kind;
    event.at = now;
    event.fromClient = fromClient;
    return event;
  }

  #addRead(
    now: number,
    fromClient: boolean,
    { messages, payloadLeft, heldPart }: FramePosition,
    input: Uint8Array,
    start: number,
    end: number,
  ): void {
    const side = fromClient ? CLIENT_GAP : ENDPOINT_GAP;
    const isCounted = this.isCounted(fromClient);
    const isSkipped = isCounted && this.state.isSpent(now) && !this.mustFollow(fromClient);
    const bytes = heldPart.length + end - start;
    const event = isSkipped ? null : this.#add(now, 'frames', fromClient, bytes, !isCounted);
    if (event === null) {
      this.#gaps |= side;
      return;
    }
    event.isAfterGap = (this.#gaps & side) !== 0;
    this.#gaps &= ~side;
    event.messages = messages;
    event.payloadLeft = payloadLeft;
    if (heldPart.length > 0) event.appendHeldPart(heldPart);
    event.append(input, start, end);
  }

  /** Adds a message or control frame that was sent or arrived as a whole. Keeps the bytes that may be shown. */
  #addWhole(kind: 'message' | 'sent', fromClient: boolean, opcode: number, payload: Uint8Array): void {
    try {
      const now = this.state.startEvent();
      if (!this.isWanted()) return;
      const { length } = payload;
      const kept = (opcode & CONTROL_BIT) !== 0 ? length : Math.min(length, this.neededOfWhole());
      const event = this.state.isSpent(now) ? null : this.#add(now, kind, fromClient, kept, false);
      if (kind === 'message') this.countWhole(fromClient, opcode);
      if (event === null) {
        this.loseFrames(1);
        return;
      }
      event.opcode = opcode;
      event.length = length;
      event.append(payload, 0, kept);
    } catch (error) {
      this.fail(error);
    }
  }
}
