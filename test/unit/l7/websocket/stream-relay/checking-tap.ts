/** A tap that compares what it is told with what two peers have sent. */
import assert from 'node:assert/strict';
import type { FramePosition, SessionTap, TappedEnd } from '../../../../../src/telemetry/tap/tap.ts';
import type { FakeChannel } from './fake-channel.ts';

/** One side: its connection, and all bytes that it has handed over to the connection so far. */
export interface SendingSide {
  readonly channel: FakeChannel;
  readonly sent: Buffer;
  readonly handedOver: number;
}

export class CheckingTap implements SessionTap {
  isOver = false;
  readonly #sides: readonly [client: SendingSide, endpoint: SendingSide];
  /** Bytes of each side that have been read. */
  readonly #read: [client: number, endpoint: number];

  constructor(sides: readonly [client: SendingSide, endpoint: SendingSide]) {
    const readOf = ({ channel, handedOver }: SendingSide): number => handedOver - channel.unread;
    this.#sides = sides;
    this.#read = [readOf(sides[0]), readOf(sides[1])];
  }

  opened(): void {
    assert.fail('the session was open');
  }

  received(
    fromClient: boolean,
    position: FramePosition,
    input: Uint8Array,
    start: number,
    end: number,
  ): void {
    assert.ok(!this.isOver);
    const side = fromClient ? 0 : 1;
    const { sent } = this.#sides[side];
    const read = this.#read[side];
    const { heldPart, payloadLeft } = position;
    assert.ok(sent.subarray(read, read + end - start).equals(input.subarray(start, end)));
    assert.ok(sent.subarray(read - heldPart.length, read).equals(heldPart));
    assert.ok(payloadLeft === 0 || heldPart.length === 0);
    this.#read[side] += end - start;
  }

  skipped(fromClient: boolean, bytes: number): void {
    assert.ok(!this.isOver && bytes > 0);
    this.#read[fromClient ? 0 : 1] += bytes;
  }

  message(): void {
    assert.fail('nothing hides frames');
  }

  sent(_toClient: boolean, opcode: number, payload: Uint8Array): void {
    assert.ok(!this.isOver);
    assert.ok(opcode >= 8 && payload.length <= 125);
  }

  ended({ seconds }: TappedEnd): void {
    assert.ok(!this.isOver && seconds >= 0);
    this.isOver = true;
  }
}
