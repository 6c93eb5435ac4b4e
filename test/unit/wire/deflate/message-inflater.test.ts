import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync, type DeflateRaw } from 'node:zlib';
import fc from 'fast-check';
import { MessageInflater } from '../../../../src/wire/deflate/message-inflater.ts';

const LONG_WINDOW = { hasContext: true, windowBytes: 32_768 };

/** Compresses as a sender of RFC 7692 does. */
class Sender {
  readonly #stream: DeflateRaw;

  constructor(windowBits: number, level: number) {
    this.#stream = createDeflateRaw({ windowBits, level });
  }

  async send(message: Uint8Array): Promise<Buffer> {
    const parts: Buffer[] = [];
    const add = (part: Buffer): void => void parts.push(part);
    this.#stream.on('data', add);
    if (message.length > 0) this.#stream.write(message);
    await new Promise<void>((resolve) => this.#stream.flush(constants.Z_SYNC_FLUSH, resolve));
    this.#stream.off('data', add);
    const bytes = Buffer.concat(parts);
    // A second flush of nothing gives nothing: RFC 7692 section 7.2.3.6.
    return bytes.length === 0 ? Buffer.from([0]) : bytes.subarray(0, -4);
  }
}

const text = (length: number): Buffer =>
  Buffer.from('{"kind":"tick","price":1.25,"n":'.repeat(length / 32 + 1).slice(0, length));

describe('message inflater', () => {
  it('inflates messages with a context, for every window and level', async () => {
    for (const windowBits of [9, 10, 12, 15]) {
      for (const level of [0, 1, 6, 9]) {
        const sender = new Sender(windowBits, level);
        const inflater = new MessageInflater({ hasContext: true, windowBytes: 2 ** windowBits });
        const random = randomBytes(40_000);
        for (const message of [
          text(50),
          text(50),
          random.subarray(0, 300),
          text(50),
          Buffer.alloc(0),
          random,
          random,
          text(70_000),
          random.subarray(39_000),
          text(10),
        ]) {
          assert.deepEqual(inflater.inflate(await sender.send(message)), message);
        }
        assert.equal(inflater.isLost, false);
      }
    }
  });

  it('inflates each message independently without a context', () => {
    const inflater = new MessageInflater({ hasContext: false, windowBytes: 32_768 });
    const send = (message: Buffer): Buffer =>
      deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    assert.deepEqual(inflater.inflate(send(text(100))), text(100));
    assert.equal(inflater.inflate(Buffer.from([0xff, 0xff])), null);
    assert.equal(inflater.isLost, false);
    assert.deepEqual(inflater.inflate(send(text(100))), text(100));
  });

  it('inflates the examples of RFC 7692', () => {
    const hello = Buffer.from('Hello');
    const inflater = new MessageInflater(LONG_WINDOW);
    for (const hex of [
      'f248cdc9c90700',
      'f200110000',
      '000500faff48656c6c6f00',
      'f348cdc9c9070000',
      'f248050000 00ffffcac9c90700',
    ]) {
      assert.deepEqual(inflater.inflate(Buffer.from(hex.replace(' ', ''), 'hex')), hello, hex);
    }
    assert.deepEqual(inflater.inflate(Buffer.from([0])), Buffer.alloc(0));
    assert.deepEqual(inflater.inflate(Buffer.alloc(0)), Buffer.alloc(0));
  });

  it('loses the context on garbage and on a bomb', async () => {
    const bomb = deflateRawSync(Buffer.alloc(2 ** 20 + 1), { finishFlush: constants.Z_SYNC_FLUSH });
    for (const lose of [
      (inflater: MessageInflater) => assert.equal(inflater.inflate(Buffer.from([0xff])), null),
      (inflater: MessageInflater) => assert.equal(inflater.inflate(bomb.subarray(0, -4)), null),
    ]) {
      const sender = new Sender(15, 6);
      const inflater = new MessageInflater(LONG_WINDOW);
      assert.deepEqual(inflater.inflate(await sender.send(text(99))), text(99));
      lose(inflater);
      assert.equal(inflater.isLost, true);
      assert.equal(inflater.inflate(await sender.send(text(99))), null);
    }
    const most = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
      0,
      -4,
    );
    assert.equal(new MessageInflater(LONG_WINDOW).inflate(most)?.length, 2 ** 20);
  });

  it('never throws, and agrees with zlib, for any input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const found = new MessageInflater(LONG_WINDOW).inflate(bytes);
        let expected: Buffer | null = null;
        try {
          expected = inflateRawSync(Buffer.concat([bytes, Buffer.from([0, 0, 255, 255])]), {
            finishFlush: constants.Z_SYNC_FLUSH,
          });
        } catch {
          // It makes no sense.
        }
        assert.deepEqual(found, expected);
      }),
      { numRuns: 500 },
    );
  });
});
