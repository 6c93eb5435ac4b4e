import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AF_INET, AF_INET6, AF_UNIX } from '../../../../src/sys/socket-constants.ts';
import {
  SOCKADDR_BYTES,
  familyOf,
  portOf,
  writeIpv4,
  writeIpv6,
  writeUnix,
} from '../../../../src/sys/sockets/socket-structs.ts';

/** Memory that has been used before. */
function room(): Uint8Array {
  return new Uint8Array(SOCKADDR_BYTES).fill(0xee);
}

describe('socket structures', () => {
  it("writes the family of sockaddr_in in the machine's byte order, and the port in network byte order", () => {
    const little = room();
    assert.equal(writeIpv4(little, 0x1f90, true), 16);
    assert.deepEqual([...little.subarray(0, 16)], [2, 0, 0x1f, 0x90, ...new Array<number>(12).fill(0)]);
    const big = room();
    assert.equal(writeIpv4(big, 0x1f90, false), 16);
    assert.deepEqual([...big.subarray(0, 16)], [0, 2, 0x1f, 0x90, ...new Array<number>(12).fill(0)]);
  });

  it('has sockaddr_in6 with the scope at its end', () => {
    const little = room();
    assert.equal(writeIpv6(little, 443, 0x01020304, true), 28);
    assert.deepEqual([...little.subarray(0, 8)], [10, 0, 1, 0xbb, 0, 0, 0, 0]);
    assert.deepEqual([...little.subarray(8, 24)], new Array<number>(16).fill(0));
    assert.deepEqual([...little.subarray(24, 28)], [4, 3, 2, 1]);
    const big = room();
    assert.equal(writeIpv6(big, 443, 0x01020304, false), 28);
    assert.deepEqual([...big.subarray(0, 8)], [0, 10, 1, 0xbb, 0, 0, 0, 0]);
    assert.deepEqual([...big.subarray(24, 28)], [1, 2, 3, 4]);
  });

  it('reads the port of sockaddr_in and sockaddr_in6', () => {
    const memory = room();
    writeIpv4(memory, 0x1f90, true);
    assert.equal(portOf(memory), 0x1f90);
    writeIpv6(memory, 443, 0, true);
    assert.equal(portOf(memory), 443);
  });

  it('writes sockaddr_un with a final NUL, which counts in its length', () => {
    const bytes = room();
    assert.equal(writeUnix(bytes, '/run/ä', true), 2 + 7 + 1);
    assert.deepEqual(Buffer.from(bytes.subarray(0, 10)), Buffer.from('\x01\x00/run/ä\0'));
    assert.equal(writeUnix(room(), 'x'.repeat(107), true), 110);
  });

  it('refuses paths that the kernel would truncate or not find', () => {
    for (const path of ['', 'x'.repeat(108), 'ä'.repeat(54), 'a\0b']) {
      assert.throws(() => writeUnix(room(), path, true), /is not a UNIX socket path/);
    }
  });

  it('reads back the family that it wrote, and clears earlier content', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.boolean(),
        (port, scope, littleEndian) => {
          for (const [family, length, write] of [
            [AF_INET, 16, (into: Uint8Array) => writeIpv4(into, port, littleEndian)],
            [AF_INET6, 28, (into: Uint8Array) => writeIpv6(into, port, scope, littleEndian)],
            [AF_UNIX, 4, (into: Uint8Array) => writeUnix(into, 'p', littleEndian)],
          ] as const) {
            const bytes = room();
            assert.equal(write(bytes), length);
            assert.equal(familyOf(bytes, littleEndian), family);
            assert.ok(bytes.subarray(length).every((byte) => byte === 0));
          }
        },
      ),
    );
  });

  it('throws if there are too few bytes', () => {
    const small = new Uint8Array(SOCKADDR_BYTES - 1);
    assert.throws(() => writeIpv4(small, 1, true), RangeError);
    assert.throws(() => writeIpv6(small, 1, 0, true), RangeError);
    assert.throws(() => writeUnix(small, 'p', true), RangeError);
    assert.throws(() => familyOf(small, true), RangeError);
  });
});
