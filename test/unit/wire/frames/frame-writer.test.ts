import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isSendableCloseCode } from '../../../../src/wire/frames/close-codes.ts';
import {
  MAX_MASKED_HEAD_BYTES,
  closePayload,
  writeMaskedFrame,
} from '../../../../src/wire/frames/frame-writer.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_TEXT,
} from '../../../../src/wire/frames/opcodes.ts';
import { receiveAsServer } from './foreign-codec.ts';

const UNTOUCHED = 0xa5;
const pool = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 37 + (index >> 8)) & 0xff));

/** Writes a frame at a place of a larger buffer, and checks that nothing around it was touched. */
function write(opcode: number, payload: Uint8Array, mask: number, memoryOffset = 0, offset = 0): Buffer {
  const memory = Buffer.alloc(memoryOffset + offset + payload.length + MAX_MASKED_HEAD_BYTES + 8, UNTOUCHED);
  const target = memory.subarray(memoryOffset);
  const end = writeMaskedFrame(target, offset, opcode, payload, mask);
  assert.ok(end <= offset + payload.length + MAX_MASKED_HEAD_BYTES, 'the frame has room');
  assert.ok(target.subarray(0, offset).every((byte) => byte === UNTOUCHED));
  assert.ok(target.subarray(end).every((byte) => byte === UNTOUCHED));
  return target.subarray(offset, end);
}

const masks = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x01020304, -0x80000000, 0x7fffffff),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);
const lengths = fc.oneof(fc.nat(40), fc.constantFrom(124, 125, 126, 127, 128), fc.nat(1000));

describe('a masked frame', () => {
  it('is read back by another server, for any mask, length and memory offset', () => {
    fc.assert(
      fc.property(lengths, masks, fc.nat(8), fc.nat(8), fc.nat(7), (length, mask, memory, offset, from) => {
        const payload = pool.subarray(from, from + length);
        const frame = write(OPCODE_BINARY, payload, mask, memory, offset);
        assert.deepEqual(receiveAsServer(frame), [
          { kind: 'message', data: payload, isBinary: true, code: 0 },
        ]);
      }),
      { numRuns: 400 },
    );
  });

  it('is read back by another server, at every alignment of its ends', () => {
    for (let offset = 0; offset < 4; offset++) {
      for (let length = 0; length < 20; length++) {
        for (const mask of [0, 0x12345678, -2]) {
          const payload = pool.subarray(1, 1 + length);
          const [received] = receiveAsServer(write(OPCODE_BINARY, payload, mask, offset));
          assert.deepEqual(received?.data, payload, `offset ${offset}, length ${length}, mask ${mask}`);
        }
      }
    }
  });

  it('uses the shortest encoding of its length', () => {
    const cases = [
      [0, 6],
      [125, 6],
      [126, 8],
      [65_535, 8],
      [65_536, 14],
      [65_537, 14],
    ] as const;
    for (const [length, head] of cases) {
      for (const mask of [0, 77]) {
        const payload = pool.subarray(0, length);
        const frame = write(OPCODE_BINARY, payload, mask, 1);
        assert.equal(frame.length, head + length, `length ${length}`);
        assert.deepEqual(receiveAsServer(frame)[0]?.data, payload, `length ${length}`);
      }
    }
  });

  it('carries the mask lowest byte first, and a zero mask keeps the payload readable', () => {
    assert.deepEqual(
      write(OPCODE_TEXT, Buffer.from([0, 0, 0, 0, 0xff]), 0x04030201),
      Buffer.from([0x81, 0x85, 1, 2, 3, 4, 1, 2, 3, 4, 0xfe]),
    );
    assert.deepEqual(write(OPCODE_TEXT, Buffer.from('hey'), 0), Buffer.from('\x81\x83\0\0\0\0hey', 'latin1'));
  });

  it('accepts an unsigned mask, too', () => {
    assert.deepEqual(
      write(OPCODE_TEXT, pool.subarray(0, 9), 0xfedcba98),
      write(OPCODE_TEXT, pool.subarray(0, 9), 0xfedcba98 | 0),
    );
  });

  it('keeps its opcode, and does not change the given payload', () => {
    const payload = Buffer.from('żółw');
    assert.deepEqual(receiveAsServer(write(OPCODE_TEXT, payload, 0x5a5a1234)), [
      { kind: 'message', data: Buffer.from('żółw'), isBinary: false, code: 0 },
    ]);
    assert.deepEqual(receiveAsServer(write(OPCODE_PING, payload, 3)), [
      { kind: 'ping', data: Buffer.from('żółw'), isBinary: false, code: 0 },
    ]);
    assert.equal(String(payload), 'żółw');
  });
});

describe('the payload of a close frame', () => {
  it('is empty for exactly the codes that must not be sent', () => {
    for (let code = -1; code <= 0x10001; code++) {
      const { length } = closePayload(code, Buffer.from('why'));
      if (length !== (isSendableCloseCode(code) ? 5 : 0)) assert.fail(`code ${code} gave ${length} bytes`);
    }
  });

  it('is read back by another server', () => {
    const cases = [
      [1000, ''],
      [1001, 'going away'],
      [1014, 'bad gateway'],
      [4999, 'grüße'],
      [3000, 'x'.repeat(123)],
    ] as const;
    for (const [code, reason] of cases) {
      const frame = write(OPCODE_CLOSE, closePayload(code, Buffer.from(reason)), 99);
      assert.deepEqual(receiveAsServer(frame), [
        { kind: 'conclude', data: Buffer.from(reason), isBinary: false, code },
      ]);
    }
    const [none] = receiveAsServer(write(OPCODE_CLOSE, closePayload(1005, Buffer.from('why')), 99));
    assert.equal(none?.code, 1005);
  });

  it('truncates a long reason at a character boundary', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'é', '€', '👋'), { maxLength: 150 }), (characters) => {
        const reason = Buffer.from(characters.join(''));
        const kept = closePayload(1000, reason).subarray(2);
        assert.ok(kept.length <= 123);
        assert.ok(kept.length === reason.length || kept.length > 119, 'no more is cut than necessary');
        assert.deepEqual(kept, reason.subarray(0, kept.length));
        assert.ok(isUtf8(kept));
      }),
    );
    assert.equal(closePayload(1000, Buffer.from('é'.repeat(62))).length, 2 + 122);
  });

  it('terminates even if the reason is not UTF-8', () => {
    assert.equal(closePayload(1000, Buffer.alloc(200, 0x80)).length, 2);
  });
});
