import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_HELD_PAYLOAD_BYTES } from '../../../../src/wire/frames/frame-reader.ts';
import { BINARY, CLOSE, PING, TEXT, closeBody, encodeFrame } from '../../../support/websocket/raw-frames.ts';
import { FrameRecorder, feed, pool, readSizes } from './frame-recorder.ts';

const CONTINUATION = 0;
const MAX_HEAD_BYTES = 10;

describe('a frame reader that receives what RFC 6455 forbids', () => {
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
          assert.equal(recorder.heldPart.length, 0);
        }
      }
      const recorder = new FrameRecorder();
      feed(recorder, bytes.subarray(0, cuts), [1]);
      assert.equal(recorder.found.filter(({ kind }) => kind === 'error').length, 1);
    });
  }

  it('survives any bytes: at most one end, nothing after it, bounded memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), readSizes, (bytes, sizes) => {
        const recorder = new FrameRecorder();
        feed(recorder, Buffer.from(bytes), sizes, () => {
          assert.ok(recorder.heldPart.length <= MAX_HELD_PAYLOAD_BYTES + MAX_HEAD_BYTES);
        });
        const end = recorder.found.findIndex(({ kind }) => kind === 'error' || kind === 'close');
        assert.ok(end === -1 || end === recorder.found.length - 1);
      }),
      { numRuns: 300 },
    );
  });
});
