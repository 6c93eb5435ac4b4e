import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reservedBitsOf, type FrameRules } from '../../../../src/wire/frames/frame-tracker.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  closeBody,
  encodeFrame,
  type FrameOptions,
} from '../../../support/websocket/raw-frames.ts';
import { TrackingRecorder, trackInPieces } from './tracking-recorder.ts';

const CONTINUATION = 0;
const MASK = Buffer.from([0x11, 0x80, 0xfe, 0x37]);
const FROM_ENDPOINT: FrameRules = { masked: false, extensions: 'none', maxMessageSize: 1000 };
const FROM_CLIENT: FrameRules = { ...FROM_ENDPOINT, masked: true };

/** The directions: their rules, and how a sender frames. */
const DIRECTIONS: readonly (readonly [from: string, rules: FrameRules, options: FrameOptions])[] = [
  ['an endpoint', FROM_ENDPOINT, {}],
  ['a client', FROM_CLIENT, { mask: MASK }],
];

for (const [from, rules, options] of DIRECTIONS) {
  const frame = (opcode: number, payload: string | Buffer = '', more: FrameOptions = {}): Buffer =>
    encodeFrame(opcode, payload, { ...options, ...more });

  describe(`a tracker of frames from ${from}`, () => {
    it('forwards every byte of messages and counts them, for any cut', () => {
      const bytes = Buffer.concat([
        frame(TEXT, 'hello'),
        frame(BINARY, Buffer.alloc(130, 'x'), { fin: false }),
        frame(CONTINUATION, '', { fin: false }),
        frame(PING, 'who'),
        frame(CONTINUATION, Buffer.alloc(200, 'y')),
        frame(TEXT),
        frame(PONG, 'me'),
      ]);
      assert.deepEqual(trackInPieces(rules, bytes), {
        passed: bytes,
        messages: 3,
        bytes: 335,
        payloadLeft: 0,
        findings: ['ping who', 'pong me'],
      });
    });

    it('forwards whole frames in one piece', () => {
      const recorder = new TrackingRecorder(rules);
      recorder.read(Buffer.concat([frame(TEXT, 'a'), frame(PING), frame(TEXT, 'b'), frame(PONG)]));
      assert.equal(recorder.passes, 1);
    });

    it('drops a pong that the callback refuses', () => {
      const kept = [frame(TEXT, 'a'), frame(PONG, 'theirs'), frame(TEXT, 'b')];
      const ours = frame(PONG, 'ours1234');
      const bytes = Buffer.concat([ours, kept[0]!, ours, ours, kept[1]!, kept[2]!, ours]);
      const { passed, findings } = trackInPieces(rules, bytes);
      assert.deepEqual(passed, Buffer.concat(kept));
      assert.equal(findings.length, 5);
    });

    it('ends at a close frame, after forwarding it and everything before it', () => {
      for (const [payload, told] of [
        [closeBody(4321, 'grüße'), '4321 grüße'],
        [Buffer.alloc(0), '1005 '],
      ] as const) {
        const bytes = Buffer.concat([frame(TEXT, 'a'), frame(CLOSE, payload)]);
        const { passed, findings } = trackInPieces(rules, Buffer.concat([bytes, frame(TEXT, 'late')]));
        assert.deepEqual(passed, bytes);
        assert.deepEqual(findings, [`close ${told}, ${bytes.length} passed`]);
      }
    });

    it('holds an incomplete head or control frame, but no data payload', () => {
      const recorder = new TrackingRecorder(rules);
      const data = frame(BINARY, Buffer.alloc(300));
      const head = data.length - 300;
      recorder.read(data.subarray(0, head - 1));
      assert.deepEqual([recorder.heldPart.length, recorder.payloadLeft], [head - 1, 0]);
      recorder.read(data.subarray(head - 1, head + 10));
      assert.deepEqual([recorder.heldPart.length, recorder.payloadLeft], [0, 290]);
      recorder.skip(280);
      recorder.read(data.subarray(head + 290));
      assert.deepEqual([recorder.messages, recorder.bytes, recorder.payloadLeft], [1, 300, 0]);
      const ping = frame(PING, Buffer.alloc(125));
      recorder.read(ping.subarray(0, -1));
      assert.equal(recorder.heldPart.length, ping.length - 1);
      assert.equal(recorder.findings.length, 0);
      recorder.read(ping.subarray(-1));
      assert.equal(recorder.heldPart.length, 0);
      assert.equal(recorder.findings.length, 1);
    });

    it('counts a message whose end was skipped', () => {
      const recorder = new TrackingRecorder(rules);
      const data = frame(BINARY, Buffer.alloc(300), { fin: false });
      recorder.read(data.subarray(0, -100));
      recorder.skip(100);
      assert.equal(recorder.messages, 0);
      recorder.read(frame(CONTINUATION, 'a'));
      assert.deepEqual([recorder.messages, recorder.bytes], [1, 301]);
    });

    it('reads nothing after it is stopped', () => {
      const recorder = new TrackingRecorder(rules);
      recorder.framePing = () => recorder.stop();
      recorder.read(Buffer.concat([frame(TEXT, 'a'), frame(PING), frame(CLOSE)]));
      recorder.read(frame(TEXT, 'b'));
      assert.deepEqual([recorder.passes, recorder.findings.length, recorder.heldPart.length], [0, 0, 0]);
    });

    const faults: readonly (readonly [what: string, bytes: Buffer, fault: string])[] = [
      ['a reserved bit', frame(TEXT, 'a', { reserved: 4 }), '1002 reserved bit set'],
      ['a reserved bit of a ping', frame(PING, 'a', { reserved: 1 }), '1002 reserved bit set'],
      ['opcode 3', frame(3, 'a'), '1002 unknown opcode'],
      ['opcode 11', frame(11, 'a'), '1002 unknown opcode'],
      ['a fragmented ping', frame(PING, 'a', { fin: false }), '1002 fragmented control frame'],
      ['a ping of 126 bytes', frame(PING, Buffer.alloc(126)), '1002 control frame over 125 bytes'],
      ['a continuation', frame(CONTINUATION, 'a'), '1002 continuation without a message'],
      ['a close frame of one byte', frame(CLOSE, 'a'), '1002 bad close code'],
      ['a close frame with 1006', frame(CLOSE, closeBody(1006)), '1002 bad close code'],
      [
        'a close reason that is no text',
        frame(CLOSE, closeBody(1000, Buffer.from([0xed, 0xa0, 0x80]))),
        '1002 close reason is not UTF-8',
      ],
      ['a long message', frame(TEXT, Buffer.alloc(1001)), '1009 message too long'],
    ];
    for (const [what, breach, fault] of faults) {
      it(`stops before ${what}, and passes what came before`, () => {
        const before = Buffer.concat([frame(TEXT, 'a'), frame(PING, 'b')]);
        const bytes = Buffer.concat([before, breach, frame(TEXT, 'late')]);
        const { passed, findings } = trackInPieces(rules, bytes);
        assert.deepEqual(passed, before);
        assert.deepEqual(findings, ['ping b', `fault ${fault}, ${before.length} passed`]);
      });
    }

    it('adds up the fragments of a message for the size limit', () => {
      const part = frame(TEXT, Buffer.alloc(500), { fin: false });
      const more = frame(CONTINUATION, Buffer.alloc(500), { fin: false });
      const ping = frame(PING);
      const before = Buffer.concat([part, ping, more]);
      const { passed, findings, messages } = trackInPieces(
        rules,
        Buffer.concat([before, frame(CONTINUATION, 'x')]),
      );
      assert.deepEqual(passed, before);
      assert.deepEqual(findings, ['ping ', `fault 1009 message too long, ${before.length} passed`]);
      assert.equal(messages, 0);
      const full = Buffer.concat([before, frame(CONTINUATION), before, frame(CONTINUATION)]);
      assert.equal(trackInPieces(rules, full).messages, 2);
    });

    it('refuses a new message inside a fragmented one', () => {
      const part = frame(TEXT, '', { fin: false });
      const { findings } = trackInPieces(rules, Buffer.concat([part, frame(BINARY, 'b')]));
      assert.deepEqual(findings, [`fault 1002 new message inside a fragmented one, ${part.length} passed`]);
    });

    it('refuses lengths that are not minimal or above 63 bits', () => {
      const masked = options.mask === undefined ? 0 : 0x80;
      const mask = options.mask ?? Buffer.alloc(0);
      for (const [length, fault] of [
        [[126, 0, 125], '1002 length not minimal'],
        [[127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], '1002 length not minimal'],
        [[127, 0x80, 0, 0, 0, 0, 1, 0, 0], '1002 frame too long'],
        [[127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], '1009 message too long'],
        [[127, 0, 0x20, 0, 0, 0, 0, 0, 0], '1009 message too long'],
      ] as const) {
        const bytes = Buffer.concat([Buffer.from([0x82, masked | length[0], ...length.slice(1)]), mask]);
        for (const maxMessageSize of [1000, Infinity]) {
          const { findings } = trackInPieces({ ...rules, maxMessageSize }, bytes);
          const isUnlimited = maxMessageSize === Infinity && length[1] === 0 && length[2] === 0x20;
          assert.deepEqual(findings, isUnlimited ? [] : [`fault ${fault}, 0 passed`]);
        }
      }
    });
  });
}

describe('a tracker', () => {
  it('refuses masked frames from an endpoint, and unmasked ones from a client', () => {
    const bare = encodeFrame(TEXT, 'abcdef');
    const masked = encodeFrame(TEXT, 'abcdef', { mask: MASK });
    assert.deepEqual(trackInPieces(FROM_ENDPOINT, masked).findings, [
      'fault 1002 masked frame from a server, 0 passed',
    ]);
    assert.deepEqual(trackInPieces(FROM_CLIENT, bare).findings, [
      'fault 1002 unmasked frame from a client, 0 passed',
    ]);
  });

  it('allows the permessage-deflate bit only on the first frame of a message', () => {
    const rules: FrameRules = { ...FROM_ENDPOINT, extensions: 'deflate' };
    const reserved = { reserved: 4 };
    const good = Buffer.concat([
      encodeFrame(TEXT, 'a', { ...reserved, fin: false }),
      encodeFrame(CONTINUATION, 'b'),
      encodeFrame(BINARY, 'c', reserved),
      encodeFrame(TEXT, 'd'),
    ]);
    assert.equal(trackInPieces(rules, good).messages, 3);
    const part = encodeFrame(TEXT, 'a', { fin: false });
    for (const bad of [
      encodeFrame(CONTINUATION, 'b', reserved),
      encodeFrame(PING, 'b', reserved),
      encodeFrame(CLOSE, '', reserved),
      encodeFrame(CONTINUATION, 'b', { reserved: 2 }),
    ]) {
      const { findings } = trackInPieces(rules, Buffer.concat([part, bad]));
      assert.deepEqual(findings, [`fault 1002 reserved bit set, ${part.length} passed`]);
    }
  });

  it('allows other extensions any reserved bit', () => {
    const rules: FrameRules = { ...FROM_ENDPOINT, extensions: 'any' };
    const bytes = Buffer.concat([
      encodeFrame(TEXT, 'a', { reserved: 7, fin: false }),
      encodeFrame(PING, 'b', { reserved: 1 }),
      encodeFrame(CONTINUATION, 'b', { reserved: 2 }),
    ]);
    assert.deepEqual(trackInPieces(rules, bytes).passed, bytes);
  });

  it('knows which reserved bits extensions use', () => {
    assert.equal(reservedBitsOf(''), 'none');
    assert.equal(reservedBitsOf(' , '), 'none');
    assert.equal(reservedBitsOf('permessage-deflate'), 'deflate');
    assert.equal(reservedBitsOf('Permessage-Deflate; client_max_window_bits=12'), 'deflate');
    assert.equal(reservedBitsOf('permessage-deflated'), 'any');
    assert.equal(reservedBitsOf('permessage-deflate, x-other'), 'any');
    assert.equal(reservedBitsOf('bbf-usp-protocol'), 'any');
  });
});
