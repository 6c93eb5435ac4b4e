import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer, addressWithin } from '../../../../src/sys/memory/pinned-buffer.ts';
import { nativeFunction } from '../../../../src/sys/native-calls.ts';
import { openssl, opensslProblem } from '../../../../src/sys/openssl.ts';
import type { OpenSsl } from '../../../../src/sys/openssl-functions.ts';
import { OutputBuffer } from '../../../../src/sys/tls/output-buffer.ts';
import { withPair, type Pair } from '../pairs.ts';

const KIB = 1024;
const STREAM = 4711;

interface Stage extends Pair {
  readonly output: OutputBuffer;
  /** Writes as OpenSSL does. Returns what it has written. */
  readonly encrypt: (length: number) => Buffer;
  /** Returns the received bytes. */
  readonly receive: () => Buffer;
  /** Descriptors that the stream has been given. */
  readonly given: readonly number[];
}

function on(test: (stage: Stage) => void): () => Promise<void> {
  return () =>
    withPair('IPv4', (pair) => {
      const writeMemory = nativeFunction('BIO_write', 'int', ['uintptr_t', 'uintptr_t', 'int']) as (
        ...numbers: number[]
      ) => number;
      let memory = 0;
      const given: number[] = [];
      const calls: OpenSsl = {
        ...openssl(),
        setOutput: (stream, one) => {
          assert.equal(stream, STREAM);
          memory = one;
        },
        setOutputDescriptor: (stream, fd) => {
          assert.equal(stream, STREAM);
          return given.push(fd);
        },
      };
      const output = new OutputBuffer(calls, STREAM);
      const bytes = new PinnedBuffer(64 * KIB);
      let count = 0;
      const encrypt = (length: number): Buffer => {
        for (let at = 0; at < length; at += 4) bytes.bytes.writeUInt32LE(count++, at);
        assert.equal(writeMemory(memory, addressWithin(bytes, 0, length), length), length);
        return Buffer.from(bytes.bytes.subarray(0, length));
      };
      const receive = (): Buffer => {
        const parts: Buffer[] = [];
        for (;;) {
          const received = bytes.recv(pair.client, 0, bytes.bytes.length);
          if (received <= 0) return Buffer.concat(parts);
          parts.push(Buffer.from(bytes.bytes.subarray(0, received)));
        }
      };
      try {
        test({ ...pair, output, encrypt, receive, given });
      } finally {
        if (given.length === 0) output.free();
        openssl().freeReader(memory);
      }
    });
}

describe('an output buffer', { skip: opensslProblem() ?? false }, () => {
  it(
    'sends what OpenSSL has written, in order, and gives it its socket back',
    on(({ server, output, encrypt, receive, given }) => {
      const first = encrypt(20 * KIB);
      assert.equal(output.collect(), true);
      const all = Buffer.concat([first, encrypt(4 * KIB)]);
      assert.equal(output.flush(server), 0);
      assert.deepEqual(receive(), all);
      assert.deepEqual(given, []);
      output.close(server);
      assert.deepEqual(given, [server]);
    }),
  );

  it(
    'says that it is full until all of a full buffer is sent, and loses nothing',
    on(({ server, output, encrypt, receive }) => {
      const other = new PinnedBuffer(64 * KIB);
      while (other.send(server, 0, other.bytes.length) > 0);
      const all = Buffer.concat([encrypt(32 * KIB), encrypt(1 * KIB)]);
      assert.equal(output.collect(), false);
      assert.equal(output.flush(server), -EAGAIN);
      assert.equal(output.collect(), false);
      const parts: Buffer[] = [];
      let result = -EAGAIN;
      while (result === -EAGAIN) {
        parts.push(receive());
        result = output.flush(server);
      }
      assert.equal(result, 0);
      assert.equal(output.collect(), true);
      parts.push(receive());
      assert.ok(Buffer.concat(parts).subarray(-all.length).equals(all));
    }),
  );

  it(
    'has room again when it is cleared',
    on(({ server, output, encrypt, receive }) => {
      encrypt(32 * KIB);
      assert.equal(output.collect(), false);
      output.clear();
      const behind = encrypt(1 * KIB);
      assert.equal(output.collect(), true);
      assert.equal(output.flush(server), 0);
      assert.deepEqual(receive(), behind);
    }),
  );

  it(
    'reports a socket that cannot be written to',
    on(({ server, output, encrypt }) => {
      encrypt(1 * KIB);
      assert.ok(output.flush(server + 1000) < 0);
    }),
  );
});
