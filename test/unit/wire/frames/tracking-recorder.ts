import assert from 'node:assert/strict';
import { FrameTracker, type FrameRules } from '../../../../src/wire/frames/frame-tracker.ts';

/** The longest control frame of a client. */
export const MAX_HELD_BYTES = 131;

/** Everything that a tracker has told, in its order, without the way in which the input was cut. */
export interface Tracked {
  /** The bytes that were passed on. */
  readonly passed: Buffer;
  readonly messages: number;
  readonly bytes: number;
  readonly payloadLeft: number;
  readonly findings: readonly string[];
}

/** Collects what a tracker tells, and takes pongs out of the stream whose payload begins with `ours`. */
export class TrackingRecorder extends FrameTracker {
  readonly findings: string[] = [];
  passes = 0;
  #passed: Buffer[] = [];
  #input: Buffer | null = null;

  override forwardFrames(input: Buffer, start: number, end: number): void {
    assert.ok(start < end, 'nothing is passed');
    assert.ok(!this.isStopped, 'passed after the end');
    this.passes++;
    this.#passed.push(Buffer.from(input.subarray(start, end)));
  }

  override framePing(payload: Buffer): void {
    this.findings.push(`ping ${payload.toString('latin1')}`);
  }

  override framePong(payload: Buffer): boolean {
    this.findings.push(`pong ${payload.toString('latin1')}`);
    return !payload.toString('latin1').startsWith('ours');
  }

  override frameClose(code: number, reason: Buffer): void {
    assert.ok(this.isStopped);
    this.findings.push(`close ${code} ${reason.toString()}, ${this.#passedBytes} passed`);
  }

  override frameFailed(code: number, reason: string): void {
    assert.ok(this.isStopped);
    assert.equal(this.payloadLeft, 0, 'a fault inside of a payload');
    this.findings.push(`fault ${code} ${reason}, ${this.#passedBytes} passed`);
  }

  get #passedBytes(): number {
    return this.#passed.reduce((sum, { length }) => sum + length, 0);
  }

  get tracked(): Tracked {
    const { messages, bytes, payloadLeft, findings } = this;
    return { passed: Buffer.concat(this.#passed), messages, bytes, payloadLeft, findings };
  }

  /** Reads the bytes from a place inside of a buffer that is overwritten afterwards. */
  read(bytes: Buffer): void {
    const input = (this.#input ??= Buffer.alloc(1 << 20));
    const start = 5;
    bytes.copy(input, start);
    input[start + bytes.length] = 0x88;
    this.track(input, start, start + bytes.length);
    input.fill(0xee, start, start + bytes.length + 1);
    assert.ok(this.heldPart.length < MAX_HELD_BYTES);
  }
}

/** Tracks bytes that come in reads which end at the given places. */
export function track(rules: FrameRules, bytes: Buffer, cuts: readonly number[] = []): Tracked {
  const recorder = new TrackingRecorder(rules);
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    recorder.read(bytes.subarray(at, end));
    at = end;
  }
  return recorder.tracked;
}

/** Tracks bytes cut in two at every place and byte by byte, which must all give the same. */
export function trackInPieces(rules: FrameRules, bytes: Buffer): Tracked {
  const whole = track(rules, bytes);
  for (let cut = 1; cut < bytes.length; cut++)
    assert.deepEqual(track(rules, bytes, [cut]), whole, `cut at ${cut}`);
  const each = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  assert.deepEqual(track(rules, bytes, each), whole, 'byte by byte');
  return whole;
}
