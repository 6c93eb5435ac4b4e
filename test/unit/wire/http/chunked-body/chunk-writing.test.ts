import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChunkDecoder } from '../../../../../src/wire/http/chunked-body/chunk-decoder.ts';
import { CHUNK_END, chunkHead, lastChunk } from '../../../../../src/wire/http/chunked-body/chunk-writing.ts';

describe('chunk writing', () => {
  it('writes sizes in hexadecimal, and trailers after the last chunk', () => {
    assert.equal(chunkHead(1), '1\r\n');
    assert.equal(chunkHead(65_536), '10000\r\n');
    assert.equal(lastChunk(), '0\r\n\r\n');
    assert.equal(lastChunk('A: b\r\n'), '0\r\nA: b\r\n\r\n');
  });

  it('writes what the decoder reads', () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const written = chunks.flatMap((bytes) => [
          Buffer.from(chunkHead(bytes.length)),
          bytes,
          Buffer.from(CHUNK_END),
        ]);
        const body = Buffer.concat([...written, Buffer.from(lastChunk('X: y\r\n'))]);
        const decoder = new ChunkDecoder(false);
        const read: Buffer[] = [];
        decoder.push(body, 0, body.length, { bodyData: (bytes) => read.push(Buffer.from(bytes)) });
        assert.ok(decoder.complete);
        assert.deepEqual(Buffer.concat(read), Buffer.concat(chunks));
        assert.deepEqual(decoder.trailers, [['X', 'y']]);
      }),
    );
  });
});
