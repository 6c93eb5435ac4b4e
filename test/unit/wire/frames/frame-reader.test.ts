import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isSendableCloseCode } from '../../../../src/wire/frames/close-codes.ts';
import { FrameReader, MAX_HELD_PAYLOAD } from '../../../../src/wire/frames/frame-reader.ts';
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
import { FrameRecorder, feed, type Found } from './frame-recorder.ts';

const CONTINUATION = 0;
const LONGEST_HEAD = 10;

const pool = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff));

/** Lengths at which a frame's form, or what the reader does with it, changes. */
const BORDERS = [
  0,
  1,
  125,
  126,
  127,
  MAX_HELD_PAYLOAD - 1,
  MAX_HELD_PAYLOAD,
  MAX_HELD_PAYLOAD + 1,
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

const readSizes = fc.oneof(
  fc.constant([Infinity]),
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 30 }),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 70_000 })), {
    minLength: 1,
    maxLength: 30,
  }),
);

type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

/** The messages as a server sends them, and what has to be found in it. */
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
        // What comes inside of a message is found before the message is whole.
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
  it('finds the same messages however they are cut into frames and reads', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), readSizes, (messages, sizes) => {
        const { bytes, expected } = encode(messages);
        const recorder = new FrameRecorder();
        feed(recorder, bytes, sizes, () => {
          assert.ok(recorder.reader.heldBytes <= MAX_HELD_PAYLOAD + LONGEST_HEAD);
        });
        assert.equal(recorder.reader.heldBytes, 0);
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

  it('keeps a message whole that is no longer than what it holds', () => {
    for (const length of [0, 1, 125, 126, MAX_HELD_PAYLOAD]) {
      const recorder = new FrameRecorder();
      feed(recorder, serverFrame(BINARY, pool.subarray(0, length)), [1]);
      const [found] = recorder.found;
      assert.ok(found?.kind === 'message');
      assert.equal(found.pieces, 1, `length ${length}`);
    }
  });

  it('hands over a longer frame as it arrives and holds nothing of it', () => {
    const head = 4;
    const length = MAX_HELD_PAYLOAD + 1;
    const bytes = serverFrame(BINARY, pool.subarray(0, length));
    const recorder = new FrameRecorder();
    let read = 0;
    feed(recorder, bytes, [head, 1, 1000], () => {
      read += read === 0 ? head : read === head ? 1 : Math.min(1000, bytes.length - read);
      assert.equal(recorder.reader.heldBytes, 0);
      if (read < bytes.length) assert.equal(recorder.underWay, read - head);
    });
    assert.deepEqual(withoutPieces(recorder.found), [
      { kind: 'message', binary: true, data: pool.subarray(0, length) },
    ]);
  });

  it('streams a frame of which only the head says how long it is', () => {
    const head = Buffer.from([0x82, 127, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    for (let cut = 1; cut < head.length; cut++) {
      const recorder = new FrameRecorder();
      feed(recorder, Buffer.concat([head, pool.subarray(0, 50)]), [cut, Infinity]);
      assert.equal(recorder.underWay, 50);
      assert.equal(recorder.reader.heldBytes, 0);
      assert.deepEqual(recorder.found, []);
    }
  });

  it('takes every close code that may be sent and no other', () => {
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

  it('says 1005 for a close frame without a code', () => {
    const recorder = new FrameRecorder();
    feed(recorder, encodeFrame(CLOSE), [1]);
    assert.deepEqual(recorder.found, [{ kind: 'close', code: 1005, reason: Buffer.alloc(0) }]);
  });

  it('reads nothing behind a close frame', () => {
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

  it('hands over nothing more once it has been stopped in a callback', () => {
    const bytes = Buffer.concat([
      serverFrame(TEXT, pool.subarray(0, 3)),
      serverFrame(PING, Buffer.alloc(0)),
      serverFrame(BINARY, pool.subarray(0, 10), false),
      serverFrame(PONG, Buffer.alloc(0)),
      serverFrame(CONTINUATION, pool.subarray(0, MAX_HELD_PAYLOAD + 1), false),
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
          if (recorder.calls === stopAt) assert.equal(recorder.reader.heldBytes, 0);
        });
        assert.equal(recorder.calls, stopAt);
        assert.deepEqual(recorder.found, all.found.slice(0, recorder.found.length));
      }
    }
  });
});

describe('a frame reader that is sent what RFC 6455 forbids', () => {
  const extended = (opcode: number, ...length: number[]): Buffer => Buffer.from([0x80 | opcode, ...length]);
  const breaches: readonly (readonly [what: string, bytes: Buffer, reason: string])[] = [
    ['the first reserved bit', encodeFrame(TEXT, 'a', { reserved: 4 }), 'reserved bit set'],
    ['the second reserved bit', encodeFrame(TEXT, 'a', { reserved: 2 }), 'reserved bit set'],
    ['the third reserved bit', encodeFrame(TEXT, 'a', { reserved: 1 }), 'reserved bit set'],
    ['a reserved bit of a control frame', encodeFrame(PING, 'a', { reserved: 4 }), 'reserved bit set'],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
      (opcode) => [`opcode ${opcode}`, encodeFrame(opcode, 'a'), 'unknown opcode'] as const,
    ),
    [
      'a masked message',
      encodeFrame(TEXT, 'abcdef', { mask: Buffer.from([1, 2, 3, 4]) }),
      'masked frame from a server',
    ],
    [
      'a masked frame with zeros for a mask',
      encodeFrame(BINARY, pool.subarray(0, 200), { mask: Buffer.alloc(4) }),
      'masked frame from a server',
    ],
    ['a masked ping', encodeFrame(PING, '', { mask: Buffer.alloc(4) }), 'masked frame from a server'],
    ['a ping of 126 bytes', encodeFrame(PING, pool.subarray(0, 126)), 'control frame over 125 bytes'],
    [
      'a close frame of 65536 bytes',
      encodeFrame(CLOSE, pool.subarray(0, 65_536)),
      'control frame over 125 bytes',
    ],
    ['a fragmented ping', encodeFrame(PING, 'a', { fin: false }), 'fragmented control frame'],
    ['a fragmented close frame', encodeFrame(CLOSE, '', { fin: false }), 'fragmented control frame'],
    ['a close frame of one byte', encodeFrame(CLOSE, 'a'), 'bad close code'],
    // 0x0fa0 would be 4000.
    ['a close frame of half a code', encodeFrame(CLOSE, Buffer.from([0x0f])), 'bad close code'],
    ['a close code that is never sent', encodeFrame(CLOSE, closeBody(1006)), 'bad close code'],
    [
      'a close reason that is cut inside a character',
      encodeFrame(CLOSE, closeBody(1000, Buffer.from('ä').subarray(0, 1))),
      'close reason is not UTF-8',
    ],
    [
      'a close reason with a surrogate',
      encodeFrame(CLOSE, closeBody(1000, Buffer.from([0xed, 0xa0, 0x80]))),
      'close reason is not UTF-8',
    ],
    ['125 in 16 bits', Buffer.concat([extended(TEXT, 126, 0, 125), pool]), 'length not minimal'],
    ['0 in 16 bits', extended(BINARY, 126, 0, 0), 'length not minimal'],
    [
      '65535 in 64 bits',
      Buffer.concat([extended(TEXT, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff), pool]),
      'length not minimal',
    ],
    ['0 in 64 bits', extended(TEXT, 127, 0, 0, 0, 0, 0, 0, 0, 0), 'length not minimal'],
    ['a length with the top bit set', extended(BINARY, 127, 0x80, 0, 0, 0, 0, 1, 0, 0), 'frame too long'],
    ['a length of 2^53', extended(BINARY, 127, 0, 0x20, 0, 0, 0, 0, 0, 0), 'frame too long'],
    ['a continuation of nothing', encodeFrame(CONTINUATION, 'a'), 'continuation without a message'],
    [
      'a continuation of nothing that is not the last',
      encodeFrame(CONTINUATION, 'a', { fin: false }),
      'continuation without a message',
    ],
    [
      'a continuation of a message that has ended',
      Buffer.concat([encodeFrame(TEXT, '', { fin: false }), encodeFrame(0, ''), encodeFrame(0, '')]),
      'continuation without a message',
    ],
    [
      'a message inside of a fragmented one',
      Buffer.concat([encodeFrame(TEXT, 'a', { fin: false }), encodeFrame(TEXT, 'b')]),
      'new message inside a fragmented one',
    ],
    [
      'a message inside of one whose fragments are empty',
      Buffer.concat([encodeFrame(TEXT, '', { fin: false }), encodeFrame(BINARY, 'b')]),
      'new message inside a fragmented one',
    ],
    [
      'a fragment inside of a fragmented message',
      Buffer.concat([encodeFrame(BINARY, 'a', { fin: false }), encodeFrame(BINARY, 'b', { fin: false })]),
      'new message inside a fragmented one',
    ],
  ];

  for (const [what, breach, reason] of breaches) {
    it(`finds ${what} once and nothing after it, wherever it is cut`, () => {
      const before = Buffer.concat([encodeFrame(TEXT, 'before'), encodeFrame(PING, 'p')]);
      const behind = Buffer.concat([encodeFrame(TEXT, 'behind'), encodeFrame(CLOSE), encodeFrame(3)]);
      const bytes = Buffer.concat([before, breach, behind]);
      // Where the breach is told by its head, cuts within a long payload all do the same.
      const cuts = Math.min(bytes.length, before.length + 150);
      for (let cut = 1; cut <= cuts; cut++) {
        for (const sizes of [
          [cut, Infinity],
          [cut, 1, 2, Infinity],
        ]) {
          const recorder = new FrameRecorder();
          feed(recorder, bytes, sizes);
          assert.deepEqual(
            recorder.found.filter(({ kind }) => kind !== 'message'),
            [
              { kind: 'ping', data: Buffer.from('p') },
              { kind: 'error', reason },
            ],
            `cut at ${cut}`,
          );
          const texts = recorder.found.flatMap((item) => (item.kind === 'message' ? String(item.data) : []));
          assert.equal(texts[0], 'before');
          assert.ok(!texts.includes('behind'));
          assert.equal(recorder.found.at(-1)?.kind, 'error');
          assert.equal(recorder.reader.heldBytes, 0);
        }
      }
      const recorder = new FrameRecorder();
      feed(recorder, bytes.subarray(0, cuts), [1]);
      assert.equal(recorder.found.filter(({ kind }) => kind === 'error').length, 1);
    });
  }

  it('bears any bytes at all: at most one end, nothing after it, and bounded memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), readSizes, (bytes, sizes) => {
        const recorder = new FrameRecorder();
        feed(recorder, Buffer.from(bytes), sizes, () => {
          assert.ok(recorder.reader.heldBytes <= MAX_HELD_PAYLOAD + LONGEST_HEAD);
        });
        const end = recorder.found.findIndex(({ kind }) => kind === 'error' || kind === 'close');
        assert.ok(end === -1 || end === recorder.found.length - 1);
      }),
      { numRuns: 300 },
    );
  });
});

describe('whether small frames are expected', () => {
  const expects = (bytes: Buffer, below = 8192): boolean => {
    const reader = new FrameReader(new FrameRecorder());
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

  it('is true of a small frame that others follow', () => {
    for (const length of [0, 1, 125, 126, 8191]) assert.equal(expects(two(length)), true, `length ${length}`);
  });

  it('is false of a frame that fills the read alone, and of one that is cut', () => {
    for (const length of [2, 125, 126, 8191]) {
      const one = serverFrame(BINARY, pool.subarray(0, length));
      assert.equal(expects(one), false, `length ${length}`);
      assert.equal(expects(one.subarray(0, -1)), false, `length ${length}, cut`);
    }
  });

  it('is false of a large frame', () => {
    for (const length of [8192, 65_535, 65_536])
      assert.equal(expects(two(length)), false, `length ${length}`);
  });

  it('is true while a small frame waits for its rest and false while a large one is streamed', () => {
    const held = new FrameRecorder();
    feed(held, serverFrame(TEXT, pool.subarray(0, 100)).subarray(0, 50), [Infinity]);
    assert.equal(held.reader.expectsSmallFrames(two(10), 0, 24, 8192), true);
    const streamed = new FrameRecorder();
    feed(streamed, serverFrame(TEXT, pool.subarray(0, 60_000)).subarray(0, 50), [Infinity]);
    assert.equal(streamed.reader.expectsSmallFrames(two(10), 0, 24, 8192), false);
  });
});
