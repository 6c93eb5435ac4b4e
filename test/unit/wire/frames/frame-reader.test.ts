import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isSendableCloseCode } from '../../../../src/wire/frames/close-codes.ts';
import { MAX_HELD_PAYLOAD_BYTES } from '../../../../src/wire/frames/frame-reader.ts';
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
import { FrameRecorder, feed, pool, readSizes, type Found } from './frame-recorder.ts';

const CONTINUATION = 0;
const MAX_HEAD_BYTES = 10;

/** Lengths at which a frame's form, or what the reader does with it, changes. */
const BORDERS = [
  0,
  1,
  125,
  126,
  127,
  MAX_HELD_PAYLOAD_BYTES - 1,
  MAX_HELD_PAYLOAD_BYTES,
  MAX_HELD_PAYLOAD_BYTES + 1,
  65_535,
  65_536,
  65_537,
];

const payload = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.nat(20) }, fc.constantFrom(...BORDERS), fc.nat(30_000)),
    fc.nat(1000),
  )
  .map(([length, start]) => pool.subarray(start, start + length));

const control = fc
  .record({ opcode: fc.constantFrom(PING, PONG), length: fc.constantFrom(0, 1, 4, 124, 125) })
  .map(({ opcode, length }) => ({ opcode, data: pool.subarray(length, 2 * length) }));

/** A message in one frame or several, with control frames behind each of them. */
const message = fc.record({
  binary: fc.boolean(),
  frames: fc.array(fc.record({ payload, controls: fc.array(control, { maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
});

type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

/** Encodes messages like a server, and returns the findings that the reader must have. */
function encode(messages: readonly Message[]): { readonly bytes: Buffer; readonly expected: object[] } {
  const parts: Buffer[] = [];
  const expected: object[] = [];
  for (const { binary, frames } of messages) {
    const behind: object[] = [];
    for (const [index, frame] of frames.entries()) {
      const last = index === frames.length - 1;
      const opcode = index > 0 ? CONTINUATION : binary ? BINARY : TEXT;
      parts.push(serverFrame(opcode, frame.payload, last));
      for (const { opcode: kind, data } of frame.controls) {
        parts.push(serverFrame(kind, data));
        const found = kind === PING ? { kind: 'ping', data } : { kind: 'pong' };
        // Control frames inside of a message are found before the message.
        if (last) behind.push(found);
        else expected.push(found);
      }
    }
    expected.push({ kind: 'message', binary, data: Buffer.concat(frames.map((frame) => frame.payload)) });
    expected.push(...behind);
  }
  return { bytes: Buffer.concat(parts), expected };
}

function withoutPieces(found: readonly Found[]): object[] {
  return found.map((item) => {
    if (item.kind !== 'message') return item;
    const { kind, binary, data } = item;
    return { kind, binary, data };
  });
}

describe('a frame reader', () => {
  it('finds the same messages for any cut into frames and reads', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), readSizes, (messages, sizes) => {
        const { bytes, expected } = encode(messages);
        const recorder = new FrameRecorder();
        feed(recorder, bytes, sizes, () => {
          assert.ok(recorder.heldPart.length <= MAX_HELD_PAYLOAD_BYTES + MAX_HEAD_BYTES);
        });
        assert.equal(recorder.heldPart.length, 0);
        assert.deepEqual(withoutPieces(recorder.found), expected);
      }),
      { numRuns: 150 },
    );
  });

  it('finds the same frames cut in two at every byte, and byte by byte', () => {
    const bytes = Buffer.concat([
      serverFrame(TEXT, pool.subarray(0, 5)),
      serverFrame(BINARY, pool.subarray(0, 200), false),
      serverFrame(PING, pool.subarray(0, 125)),
      serverFrame(CONTINUATION, Buffer.alloc(0), false),
      serverFrame(CONTINUATION, pool.subarray(200, 330)),
      serverFrame(PONG, Buffer.alloc(0)),
      serverFrame(TEXT, Buffer.alloc(0)),
      serverFrame(CLOSE, closeBody(4321, 'grüße')),
    ]);
    const expected = [
      { kind: 'message', binary: false, data: pool.subarray(0, 5) },
      { kind: 'ping', data: pool.subarray(0, 125) },
      { kind: 'message', binary: true, data: pool.subarray(0, 330) },
      { kind: 'pong' },
      { kind: 'message', binary: false, data: Buffer.alloc(0) },
      { kind: 'close', code: 4321, reason: Buffer.from('grüße') },
    ];
    for (let cut = 1; cut <= bytes.length; cut++) {
      const recorder = new FrameRecorder();
      feed(recorder, bytes, [cut, Infinity]);
      assert.deepEqual(withoutPieces(recorder.found), expected, `cut at ${cut}`);
    }
    const recorder = new FrameRecorder();
    feed(recorder, bytes, [1]);
    assert.deepEqual(withoutPieces(recorder.found), expected);
  });

  it('keeps a message whole up to the held size', () => {
    for (const length of [0, 1, 125, 126, MAX_HELD_PAYLOAD_BYTES]) {
      const recorder = new FrameRecorder();
      feed(recorder, serverFrame(BINARY, pool.subarray(0, length)), [1]);
      const [found] = recorder.found;
      assert.ok(found?.kind === 'message');
      assert.equal(found.pieces, 1, `length ${length}`);
    }
  });

  it('delivers a longer frame as it arrives, and holds none of its payload', () => {
    const head = 4;
    const length = MAX_HELD_PAYLOAD_BYTES + 1;
    const bytes = serverFrame(BINARY, pool.subarray(0, length));
    const recorder = new FrameRecorder();
    let read = 0;
    feed(recorder, bytes, [head, 1, 1000], () => {
      read += read === 0 ? head : read === head ? 1 : Math.min(1000, bytes.length - read);
      assert.equal(recorder.heldPart.length, 0);
      if (read < bytes.length) assert.equal(recorder.inProgress, read - head);
    });
    assert.deepEqual(withoutPieces(recorder.found), [
      { kind: 'message', binary: true, data: pool.subarray(0, length) },
    ]);
  });

  it('streams a large frame whose head alone was cut', () => {
    const head = Buffer.from([0x82, 127, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    for (let cut = 1; cut < head.length; cut++) {
      const recorder = new FrameRecorder();
      feed(recorder, Buffer.concat([head, pool.subarray(0, 50)]), [cut, Infinity]);
      assert.equal(recorder.inProgress, 50);
      assert.equal(recorder.heldPart.length, 0);
      assert.deepEqual(recorder.found, []);
    }
  });

  it('accepts exactly the close codes that may be sent', () => {
    for (let code = 0; code <= 0xffff; code++) {
      const recorder = new FrameRecorder();
      feed(recorder, encodeFrame(CLOSE, closeBody(code)), [Infinity]);
      const right = isSendableCloseCode(code)
        ? { kind: 'close', code, reason: Buffer.alloc(0) }
        : { kind: 'error', reason: 'bad close code' };
      if (recorder.found.length !== 1 || recorder.found[0]?.kind !== right.kind) {
        assert.deepEqual(recorder.found, [right], `code ${code}`);
      }
    }
  });

  it('reports 1005 for a close frame without a code', () => {
    const recorder = new FrameRecorder();
    feed(recorder, encodeFrame(CLOSE), [1]);
    assert.deepEqual(recorder.found, [{ kind: 'close', code: 1005, reason: Buffer.alloc(0) }]);
  });

  it('reads nothing after a close frame', () => {
    const reason = 'x'.repeat(123);
    const bytes = Buffer.concat([
      encodeFrame(CLOSE, closeBody(1000, reason)),
      encodeFrame(TEXT, 'late'),
      encodeFrame(3, 'wrong'),
    ]);
    for (let cut = 1; cut <= bytes.length; cut++) {
      const recorder = new FrameRecorder();
      feed(recorder, bytes, [cut, Infinity]);
      assert.deepEqual(recorder.found, [{ kind: 'close', code: 1000, reason: Buffer.from(reason) }]);
    }
  });

  it('delivers nothing after a callback stops it', () => {
    const bytes = Buffer.concat([
      serverFrame(TEXT, pool.subarray(0, 3)),
      serverFrame(PING, Buffer.alloc(0)),
      serverFrame(BINARY, pool.subarray(0, 10), false),
      serverFrame(PONG, Buffer.alloc(0)),
      serverFrame(CONTINUATION, pool.subarray(0, MAX_HELD_PAYLOAD_BYTES + 1), false),
      serverFrame(CONTINUATION, pool.subarray(0, 10)),
      serverFrame(CLOSE, Buffer.alloc(0)),
    ]);
    for (const sizes of [[Infinity], [5, 6, 7, 4000], [1000]]) {
      const all = new FrameRecorder();
      feed(all, bytes, sizes);
      assert.ok(all.calls >= 7);
      for (let stopAt = 1; stopAt <= all.calls; stopAt++) {
        const recorder = new FrameRecorder(stopAt);
        feed(recorder, bytes, sizes, () => {
          if (recorder.calls === stopAt) assert.equal(recorder.heldPart.length, 0);
        });
        assert.equal(recorder.calls, stopAt);
        assert.deepEqual(recorder.found, all.found.slice(0, recorder.found.length));
      }
    }
  });
});

describe('whether small frames are expected', () => {
  const expects = (bytes: Buffer, below = 8192): boolean => {
    const reader = new FrameRecorder();
    return reader.expectsSmallFrames(
      Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(20)]),
      3,
      3 + bytes.length,
      below,
    );
  };
  const two = (length: number): Buffer => {
    const frame = serverFrame(BINARY, pool.subarray(0, length));
    return Buffer.concat([frame, frame]);
  };

  it('is true for a small frame that others follow', () => {
    for (const length of [0, 1, 125, 126, 8191]) assert.equal(expects(two(length)), true, `length ${length}`);
  });

  it('is false for a frame that fills the read, and for a cut one', () => {
    for (const length of [2, 125, 126, 8191]) {
      const one = serverFrame(BINARY, pool.subarray(0, length));
      assert.equal(expects(one), false, `length ${length}`);
      assert.equal(expects(one.subarray(0, -1)), false, `length ${length}, cut`);
    }
  });

  it('is false for a large frame', () => {
    for (const length of [8192, 65_535, 65_536])
      assert.equal(expects(two(length)), false, `length ${length}`);
  });

  it('is true while a small frame is incomplete, and false while a large one is streamed', () => {
    const held = new FrameRecorder();
    feed(held, serverFrame(TEXT, pool.subarray(0, 100)).subarray(0, 50), [Infinity]);
    assert.equal(held.expectsSmallFrames(two(10), 0, 24, 8192), true);
    const streamed = new FrameRecorder();
    feed(streamed, serverFrame(TEXT, pool.subarray(0, 60_000)).subarray(0, 50), [Infinity]);
    assert.equal(streamed.expectsSmallFrames(two(10), 0, 24, 8192), false);
  });
});
