import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer, addressWithin } from '../../../../src/sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { until, withPair } from '../pairs.ts';

const skip = unsupportedReason() ?? false;
const SIZE = 4096;

/** Every kind of number that is no place in a buffer of {@link SIZE} bytes, and many that are. */
const anyNumber = fc.oneof(
  fc.integer({ min: -2, max: SIZE + 2 }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0.5, 2 ** 32, 2 ** 53, -(2 ** 53), 2 ** 64),
);

function isRange(start: number, end: number): boolean {
  return Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= SIZE;
}

describe('a pinned buffer', { skip }, () => {
  it('carries exactly the bytes of a range', async () => {
    await withPair('IPv4', async ({ client, server }) => {
      const from = new PinnedBuffer(16);
      const to = new PinnedBuffer(16);
      from.bytes.write('0123456789abcdef');
      to.bytes.fill('.');
      assert.equal(from.send(client, 3, 7), 4);
      assert.equal(await until(EAGAIN, () => to.recv(server, 5, 16)), 4);
      assert.equal(to.bytes.toString(), '.....3456.......');
    });
  });

  it('takes no more than the range has room for', async () => {
    await withPair('UNIX', ({ client, server }) => {
      const buffer = new PinnedBuffer(16);
      buffer.bytes.write('0123456789abcdef');
      assert.equal(buffer.send(client, 0, 16), 16);
      buffer.bytes.fill('.');
      assert.equal(buffer.recv(server, 1, 3), 2);
      assert.equal(buffer.bytes.toString(), '.01.............');
      assert.equal(buffer.recv(server, 0, 16), 14);
    });
  });

  it('leaves peeked bytes in the socket', async () => {
    await withPair('IPv4', async ({ client, server }, sockets, close) => {
      const buffer = new PinnedBuffer(16);
      assert.equal(buffer.peek(server, 0, 16), -EAGAIN);
      buffer.bytes.write('0123');
      buffer.send(client, 0, 4);
      buffer.bytes.fill('.');
      assert.equal(await until(EAGAIN, () => buffer.peek(server, 2, 5)), 3);
      assert.equal(buffer.bytes.toString(), '..012...........');
      assert.equal(buffer.recv(server, 0, 4), 4);
      assert.equal(buffer.bytes.toString(), '01232...........');
      sockets.finish(client);
      assert.equal(await until(EAGAIN, () => buffer.peek(server, 0, 16)), 0);
      close(client);
    });
  });

  it('moves random amounts at random offsets without changing adjacent bytes', async () => {
    await withPair('UNIX', ({ client, server }) => {
      const from = new PinnedBuffer(SIZE);
      const to = new PinnedBuffer(SIZE);
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: SIZE - 1 }),
          fc.integer({ min: 1, max: SIZE }),
          fc.integer({ min: 0, max: SIZE - 1 }),
          fc.uint8Array({ minLength: 1, maxLength: SIZE }),
          (start, length, target, pattern) => {
            const end = Math.min(SIZE, start + length);
            const count = Math.min(end - start, SIZE - target);
            for (let index = 0; index < SIZE; index++) from.bytes[index] = pattern[index % pattern.length]!;
            to.bytes.fill(0xaa);
            assert.equal(from.send(client, start, start + count), count);
            assert.equal(to.recv(server, target, target + count), count);
            const expected = Buffer.alloc(SIZE, 0xaa);
            from.bytes.copy(expected, target, start, start + count);
            assert.ok(to.bytes.equals(expected));
            assert.equal(to.recv(server, 0, SIZE), -EAGAIN);
          },
        ),
        { numRuns: 300 },
      );
    });
  });

  it('makes no call for a range outside its bytes', async () => {
    await withPair('UNIX', ({ client, server }) => {
      const buffer = new PinnedBuffer(SIZE);
      const other = new PinnedBuffer(SIZE);
      fc.assert(
        fc.property(anyNumber, anyNumber, (start, end) => {
          if (isRange(start, end)) {
            assert.equal(buffer.send(client, start, end), end - start);
            assert.equal(other.recv(server, 0, SIZE), end - start);
            return;
          }
          const message = /is not a range of a buffer of 4096 bytes/;
          assert.throws(() => buffer.send(client, start, end), message);
          assert.throws(() => buffer.recv(server, start, end), message);
          assert.throws(() => addressWithin(buffer, start, end), message);
        }),
        { numRuns: 2000 },
      );
      assert.equal(other.recv(server, 0, SIZE), -EAGAIN);
    });
  });

  it('makes no call for a number that is not an open descriptor', () => {
    const buffer = new PinnedBuffer(8);
    fc.assert(
      fc.property(anyNumber, (fd) => {
        fc.pre(!Number.isInteger(fd) || fd < 0 || fd > 0x7fffffff);
        assert.throws(() => buffer.send(fd, 0, 1), /is not an open descriptor/);
        assert.throws(() => buffer.recv(fd, 0, 1), /is not an open descriptor/);
      }),
    );
  });

  it('has no bytes after its memory was transferred', () => {
    const buffer = new PinnedBuffer(8);
    const taken = structuredClone(buffer.bytes.buffer, { transfer: [buffer.bytes.buffer] });
    assert.equal(taken.byteLength, 8);
    assert.throws(() => buffer.recv(0, 0, 1), /is not a range of a buffer of 0 bytes/);
    assert.throws(() => buffer.send(0, 0, 8), /is not a range of a buffer of 0 bytes/);
    assert.throws(() => addressWithin(buffer, 0, 8), /is not a range of a buffer of 0 bytes/);
  });

  it('keeps its address while the heap moves', async () => {
    await withPair('UNIX', ({ client, server }) => {
      const buffers = Array.from({ length: 64 }, (_, index) => {
        const buffer = new PinnedBuffer(index + 1);
        buffer.bytes.fill(index);
        return buffer;
      });
      let garbage: unknown[] = [];
      for (let round = 0; round < 200; round++)
        garbage = Array.from({ length: 5000 }, () => ({ round, garbage: {} }));
      assert.equal(garbage.length, 5000);
      const into = new PinnedBuffer(64);
      for (const [index, buffer] of buffers.entries()) {
        assert.equal(buffer.send(client, 0, index + 1), index + 1);
        assert.equal(into.recv(server, 0, 64), index + 1);
        assert.ok(into.bytes.subarray(0, index + 1).every((byte) => byte === index));
      }
    });
  });

  it('cannot be empty', () => {
    assert.throws(() => new PinnedBuffer(0), RangeError);
    assert.throws(() => new PinnedBuffer(-1), RangeError);
    assert.throws(() => new PinnedBuffer(NaN), RangeError);
  });

  it('has no bytes after it was freed', () => {
    const buffer = new PinnedBuffer(8);
    buffer.free();
    assert.equal(buffer.bytes.length, 0);
    assert.throws(() => buffer.send(0, 0, 1), RangeError);
    assert.throws(() => buffer.recv(0, 0, 1), RangeError);
  });
});
