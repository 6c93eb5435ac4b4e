import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FrameRules } from '../../../../src/wire/frames/frame-tracker.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  closeBody,
  encodeFrame,
} from '../../../support/websocket/raw-frames.ts';
import { serverFrame } from './foreign-codec.ts';
import { AT_BEGINNING, ObservingRecorder, frameText, observe } from './observing-recorder.ts';
import { TrackingRecorder } from './tracking-recorder.ts';

const CONTINUATION = 0;
const MASK = Buffer.from([0x11, 0x80, 0xfe, 0x37]);
const LENGTHS = [0, 1, 2, 3, 5, 125, 126, 127, 300, 65535, 65536, 70_000];

interface Sent {
  readonly opcode: number;
  readonly fin: boolean;
  readonly reserved: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

const dataFrame = fc.record({
  opcode: fc.constantFrom(CONTINUATION, TEXT, BINARY, 3, 7),
  fin: fc.boolean(),
  reserved: fc.constantFrom(0, 4, 7),
  masked: fc.boolean(),
  payload: fc
    .oneof(
      { weight: 5, arbitrary: fc.nat({ max: 400 }) },
      { weight: 1, arbitrary: fc.constantFrom(...LENGTHS) },
    )
    .map(payloadOf),
});
const controlFrame = fc.record({
  opcode: fc.constantFrom(CLOSE, PING, PONG, 15),
  fin: fc.constant(true),
  reserved: fc.constant(0),
  masked: fc.boolean(),
  payload: fc.nat({ max: 125 }).map(payloadOf),
});
const frames = fc.array(fc.oneof(dataFrame, controlFrame), { maxLength: 8 });

function payloadOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 7 + length) & 0xff));
}

function encode({ opcode, payload, masked, ...options }: Sent): Buffer {
  return encodeFrame(opcode, payload, masked ? { ...options, mask: MASK } : options);
}

function textOf({ opcode, fin, reserved, payload }: Sent, wanted = Infinity): string {
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const code = opcode === CLOSE && payload.length >= 2 ? payload.readUInt16BE(0) : -1;
  return frameText(first, payload.length, code, payload.subarray(0, Math.min(payload.length, wanted)));
}

function cutsOf(parts: readonly number[], length: number): number[] {
  return parts.map((part) => Math.floor(part * length)).sort((one, other) => one - other);
}

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe('a frame observer', () => {
  it('reports every frame that ws writes, cut at any byte', () => {
    const sent: readonly [opcode: number, payload: Buffer, fin: boolean][] = [
      [TEXT, Buffer.from('hello'), true],
      [BINARY, Buffer.alloc(200, 'x'), false],
      [PING, Buffer.from('who'), true],
      [CONTINUATION, Buffer.alloc(0), true],
      [CLOSE, closeBody(1001, 'later'), true],
    ];
    const bytes = Buffer.concat(sent.map(([opcode, payload, fin]) => serverFrame(opcode, payload, fin)));
    const expected = sent.map(([opcode, payload, fin]) =>
      textOf({ opcode, payload, fin, reserved: 0, masked: false }),
    );
    for (let cut = 0; cut <= bytes.length; cut++) assert.deepEqual(observe(bytes, [cut]), expected);
    const each = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    assert.deepEqual(observe(bytes, each), expected);
  });

  it('reports any frames and payloads, masked or not, for any cut', () => {
    fc.assert(
      fc.property(frames, fractions, (sent, parts) => {
        const bytes = Buffer.concat(sent.map(encode));
        const told = observe(bytes, cutsOf(parts, bytes.length));
        assert.deepEqual(
          told,
          sent.map((frame) => textOf(frame)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('delivers only the wanted start of a payload', () => {
    fc.assert(
      fc.property(frames, fractions, fc.nat({ max: 200 }), (sent, parts, wanted) => {
        const bytes = Buffer.concat(sent.map(encode));
        const told = observe(bytes, cutsOf(parts, bytes.length), wanted);
        assert.deepEqual(
          told,
          sent.map((frame) => textOf(frame, wanted)),
        );
      }),
    );
  });

  it("attaches at a tracker's position, and reports every frame that starts after it", () => {
    const sent = [
      encodeFrame(TEXT, 'hello', { mask: MASK }),
      encodeFrame(BINARY, payloadOf(300), { mask: MASK, fin: false }),
      encodeFrame(PING, 'are you there', { mask: MASK }),
      encodeFrame(CONTINUATION, payloadOf(130), { mask: MASK }),
      encodeFrame(CLOSE, closeBody(4000, 'bye'), { mask: MASK }),
    ];
    const bytes = Buffer.concat(sent);
    const whole = observe(bytes);
    const starts = sent.map((_, index) => Buffer.concat(sent.slice(0, index)).length);
    const rules: FrameRules = { masked: true, extensions: 'none', maxMessageSize: 1000 };
    for (let cut = 0; cut < bytes.length; cut++) {
      const tracker = new TrackingRecorder(rules);
      tracker.read(bytes.subarray(0, cut));
      const observer = new ObservingRecorder();
      observer.attach(tracker);
      observer.read(bytes.subarray(cut));
      const first = starts.findIndex((start) => start >= cut - tracker.heldPart.length);
      assert.deepEqual(observer.findings, first < 0 ? [] : whole.slice(first), `joined at ${cut}`);
    }
  });

  it('continues after skipped payload with the mask rotated', () => {
    for (const wanted of [0, 50, Infinity]) {
      const observer = new ObservingRecorder(wanted);
      observer.attach(AT_BEGINNING);
      const bytes = encodeFrame(CLOSE, closeBody(1000, 'x'.repeat(98)), { mask: MASK });
      observer.read(bytes.subarray(0, 6 + 3));
      observer.skip(57);
      observer.read(bytes.subarray(6 + 60));
      observer.read(encodeFrame(TEXT, 'next'));
      const [last] = observer.findings.slice(-1);
      assert.equal(
        last,
        textOf({ opcode: TEXT, fin: true, reserved: 0, masked: false, payload: Buffer.from('next') }, wanted),
      );
      assert.equal(observer.findings.includes('missed'), wanted > 0);
    }
  });

  it('detaches if more is skipped than remains', () => {
    const observer = new ObservingRecorder();
    observer.attach(AT_BEGINNING);
    observer.read(encodeFrame(TEXT, 'hello').subarray(0, 4));
    observer.skip(4);
    assert.ok(observer.isDetached);
  });

  it('reports an invalid frame, and stays detached until it is attached again', () => {
    const nonsense: readonly [bytes: Buffer, reason: string][] = [
      [encodeFrame(PING, Buffer.alloc(126)), 'control frame over 125 bytes'],
      [encodeFrame(CLOSE, '', { fin: false }), 'fragmented control frame'],
      [Buffer.from([0x81, 126, 0, 125]), 'bad length'],
      [Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255]), 'bad length'],
      [Buffer.from([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), 'bad length'],
      [Buffer.from([0x81, 127, 0, 0x20, 0, 0, 0, 0, 0, 0]), 'bad length'],
    ];
    for (const [bytes, reason] of nonsense) {
      const observer = new ObservingRecorder();
      observer.attach(AT_BEGINNING);
      observer.read(Buffer.concat([bytes, encodeFrame(TEXT, 'unseen')]));
      assert.deepEqual(observer.findings, [reason]);
      assert.ok(observer.isDetached);
      observer.attach(AT_BEGINNING);
      observer.read(encodeFrame(TEXT, ''));
      assert.deepEqual(observer.findings.slice(1), ['81 0 -1 ']);
    }
  });

  it('never throws, for any input and any position', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(
        fc.nat({ max: 50 }),
        bytes,
        fc.array(fc.tuple(bytes, fc.nat({ max: 60 }))),
        (payloadLeft, heldPart, reads) => {
          const observer = new ObservingRecorder(30);
          observer.attach({ payloadLeft, heldPart });
          for (const [read, skipped] of reads) {
            observer.read(read);
            observer.skip(skipped);
          }
          assert.ok(!observer.findings.includes('the input was changed'));
        },
      ),
    );
  });

  it('reads nothing after a callback detaches it', () => {
    class Ending extends ObservingRecorder {
      override frameEnded(first: number, length: number, code: number): void {
        super.frameEnded(first, length, code);
        this.detach();
      }
    }
    const observer = new Ending();
    observer.attach(AT_BEGINNING);
    observer.read(Buffer.concat([encodeFrame(TEXT, 'a'), encodeFrame(TEXT, 'b')]));
    assert.equal(observer.findings.length, 1);
  });
});
