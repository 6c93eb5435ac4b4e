import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameScanner } from '../../../../../bench/driver/scanning/frame-scanner.ts';
import type { ReplySink } from '../../../../../bench/driver/scanning/scanner.ts';
import { serverFrame } from '../../../wire/frames/foreign-codec.ts';

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];

class Notes implements ReplySink {
  readonly lines: string[] = [];
  /** The payload bytes passed on for each message. */
  readonly prefixes: Buffer[] = [];

  replyMessage(length: number, bytes: Buffer, start: number, available: number): void {
    this.lines.push(`message ${length}`);
    this.prefixes.push(Buffer.from(bytes.subarray(start, start + available)));
  }
  replyPing(payload: Uint8Array): void {
    this.lines.push(`ping ${Buffer.from(payload).toString()}`);
  }
  replyPong(payload: Uint8Array): void {
    this.lines.push(`pong ${Buffer.from(payload).toString()}`);
  }
  replyClose(code: number): void {
    this.lines.push(`close ${code}`);
  }
  replyError(reason: string): void {
    this.lines.push(`error ${reason}`);
  }
}

/** Feeds the bytes through one shared buffer, as socket reads do. The pieces repeat the given lengths. */
function scan(bytes: Buffer, lengths: readonly number[], keptBytes = 0): Notes {
  const notes = new Notes();
  const scanner = new FrameScanner(notes, keptBytes);
  const shared = Buffer.alloc(bytes.length + 1);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = Math.min(lengths[turn % lengths.length]!, bytes.length - at);
    shared.fill(0xff);
    bytes.copy(shared, 0, at, at + length);
    scanner.scan(shared, length);
    at += length;
  }
  return notes;
}

interface Part {
  readonly bytes: Buffer;
  readonly line: string;
  readonly payload: Buffer | null;
}

const anyControl = fc
  .record({ ping: fc.boolean(), text: fc.string({ maxLength: 30 }) })
  .map(({ ping, text }): Part => {
    const payload = Buffer.from(text).subarray(0, 125);
    return {
      bytes: serverFrame(ping ? PING : PONG, payload),
      line: `${ping ? 'ping' : 'pong'} ${payload.toString()}`,
      payload: null,
    };
  });
const anyLength = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000));
const anyMessage = fc
  .record({
    lengths: fc.array(anyLength, { minLength: 1, maxLength: 4 }),
    text: fc.boolean(),
    control: anyControl,
  })
  .map(({ lengths, text }): Part => {
    const payloads = lengths.map((length, index) => Buffer.alloc(length, 97 + index));
    const frames = payloads.map((payload, index) =>
      serverFrame(index > 0 ? CONTINUATION : text ? TEXT : BINARY, payload, index === lengths.length - 1),
    );
    const payload = Buffer.concat(payloads);
    return { bytes: Buffer.concat(frames), line: `message ${payload.length}`, payload };
  });

describe('the frame scanner', () => {
  it('finds every message and control frame, wherever the input is split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyMessage, anyControl), { maxLength: 12 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 })), {
          minLength: 1,
        }),
        fc.constantFrom(0, 1, 512, 513, 100_000),
        (parts, lengths, keptBytes) => {
          const notes = scan(Buffer.concat(parts.map(({ bytes }) => bytes)), lengths, keptBytes);
          assert.deepEqual(
            notes.lines,
            parts.map(({ line }) => line),
          );
          const payloads = parts.flatMap(({ payload }) => (payload === null ? [] : [payload]));
          for (const [index, prefix] of notes.prefixes.entries()) {
            const payload = payloads[index]!;
            assert.ok(prefix.length >= Math.min(keptBytes, payload.length));
            assert.ok(payload.subarray(0, prefix.length).equals(prefix));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds control frames between the fragments of a message', () => {
    const bytes = Buffer.concat([
      serverFrame(TEXT, Buffer.from('ab'), false),
      serverFrame(PING, Buffer.from('p')),
      serverFrame(CONTINUATION, Buffer.from('c'), true),
    ]);
    for (const length of [1, 2, 3, 100]) {
      assert.deepEqual(scan(bytes, [length], 512).lines, ['ping p', 'message 3']);
      assert.equal(scan(bytes, [length], 512).prefixes[0]!.toString(), 'abc');
    }
  });

  it('reads the code of a close frame, and ignores everything after the frame', () => {
    const close = (payload: Buffer): Buffer =>
      Buffer.concat([serverFrame(CLOSE, payload), serverFrame(PING, payload)]);
    const going = Buffer.concat([Buffer.from([0x03, 0xe9]), Buffer.from('away')]);
    for (const length of [1, 3, 100]) {
      assert.deepEqual(scan(close(going), [length]).lines, ['close 1001']);
      assert.deepEqual(scan(close(Buffer.alloc(0)), [length]).lines, ['close 1005']);
    }
  });

  it('stops at a protocol error', () => {
    const cases = {
      'reserved bit set': [0xc2, 0],
      'masked frame from a server': [0x82, 0x81, 1, 2, 3, 4, 5],
      'unknown opcode': [0x83, 0],
      'fragmented control frame': [0x09, 0],
      'control frame over 125 bytes': [0x89, 126, 0, 126],
      'continuation without a message': [0x80, 0],
      'new message inside a fragmented one': [0x02, 0, 0x82, 0],
      'frame too long': [0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0],
    };
    for (const [reason, bytes] of Object.entries(cases)) {
      for (const length of [1, 100]) {
        const notes = scan(Buffer.concat([Buffer.from(bytes), serverFrame(PING, Buffer.alloc(0))]), [length]);
        assert.deepEqual(notes.lines, [`error ${reason}`]);
      }
    }
    assert.deepEqual(scan(Buffer.from([0x8b, 0]), [2]).lines, ['error unknown opcode']);
  });

  it('skips a payload of 1 GiB', () => {
    const notes = new Notes();
    const scanner = new FrameScanner(notes, 0);
    const gigabyte = 2 ** 30;
    scanner.scan(Buffer.from([0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0]), 10);
    const piece = Buffer.alloc(2 ** 20);
    for (let at = 0; at < gigabyte; at += piece.length) scanner.scan(piece, piece.length);
    assert.deepEqual(notes.lines, [`message ${gigabyte}`]);
  });
});
