import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { Pipe } from '../../../../src/sys/sockets/pipe.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { FAMILIES, until, withPair } from '../pairs.ts';

const skip = unsupportedReason() ?? false;
const MOST = 64 * 1024;

async function withPipe(test: (pipe: Pipe) => Promise<void> | void): Promise<void> {
  const pipe = new Pipe();
  try {
    await test(pipe);
  } finally {
    pipe.close();
  }
}

/** Sends until the kernel takes no more; returns how much that was. */
function choke(fd: number, with_: PinnedBuffer): number {
  let total = 0;
  for (;;) {
    const sent = with_.send(fd, 0, with_.bytes.length);
    if (sent < 0) return total;
    total += sent;
  }
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('a pipe', { skip }, () => {
  for (const family of FAMILIES) {
    it(`carries the bytes of one connection to another over ${family}`, () =>
      withPipe((pipe) =>
        withPair(family, (from) =>
          withPair(family, async (to) => {
            const sent = new PinnedBuffer(1000);
            const received = new PinnedBuffer(2000);
            randomBytes(1000).copy(sent.bytes);
            assert.equal(sent.send(from.client, 0, 1000), 1000);
            assert.equal(await until(EAGAIN, () => pipe.fill(from.server, MOST)), 1000);
            assert.equal(pipe.drain(to.client), 0);
            assert.equal(await until(EAGAIN, () => received.recv(to.server, 0, 2000)), 1000);
            assert.deepEqual(received.bytes.subarray(0, 1000), sent.bytes);
            assert.equal(pipe.fill(from.server, MOST), -EAGAIN);
          }),
        ),
      ));
  }

  it('takes no more at once than requested', () =>
    withPipe((pipe) =>
      withPair('UNIX', ({ client, server }) => {
        const bytes = new PinnedBuffer(MOST + 1);
        assert.equal(bytes.send(client, 0, MOST + 1), MOST + 1);
        assert.equal(pipe.fill(server, MOST), MOST);
      }),
    ));

  it("reports the peer's FIN", () =>
    withPipe((pipe) =>
      withPair('IPv4', async ({ client, server }, sockets) => {
        sockets.finish(client);
        assert.equal(await until(EAGAIN, () => pipe.fill(server, MOST)), 0);
      }),
    ));

  it('returns bytes without room, and the whole arrives in order', () =>
    withPipe((pipe) =>
      withPair('IPv4', (from) =>
        withPair('IPv4', async (to) => {
          const chunk = new PinnedBuffer(MOST);
          const rest = new PinnedBuffer(MOST);
          const fill = new PinnedBuffer(4096);
          const before = choke(to.client, fill);
          randomBytes(MOST).copy(chunk.bytes);
          let offered = 0;
          let taken = 0;
          let stopped = 0;
          for (let round = 0; stopped === 0 && round < 100; round++) {
            if (offered < MOST) {
              const sent = chunk.send(from.client, offered, MOST);
              if (sent > 0) offered += sent;
            }
            taken = await until(EAGAIN, () => pipe.fill(from.server, MOST));
            stopped = pipe.drain(to.client);
          }
          assert.equal(stopped, -EAGAIN);
          const left = pipe.rest(rest);
          assert.ok(left > 0 && left <= taken);
          assert.equal(pipe.rest(rest), 0);
          assert.deepEqual(rest.bytes.subarray(0, left), chunk.bytes.subarray(taken - left, taken));
          const sink = new PinnedBuffer(MOST);
          for (let seen = 0; seen < before + taken - left;) {
            seen += await until(EAGAIN, () => sink.recv(to.server, 0, MOST));
          }
        }),
      ),
    ));

  it('reports that the peer is gone, and keeps nothing for the next transfer', () =>
    withPipe((pipe) =>
      withPair('UNIX', (from) =>
        withPair('UNIX', (to, _sockets, close) => {
          const bytes = new PinnedBuffer(100);
          const received = new PinnedBuffer(100);
          bytes.bytes.fill('secret');
          bytes.send(from.client, 0, 100);
          assert.equal(pipe.fill(from.server, MOST), 100);
          close(to.server);
          assert.equal(pipe.drain(to.client), -constants.errno.EPIPE);
          assert.equal(pipe.rest(received), 100);
        }),
      ),
    ));

  it('never carries leftover bytes into the next transfer', () =>
    withPipe((pipe) =>
      withPair('UNIX', (from) =>
        withPair('UNIX', (to) => {
          const bytes = new PinnedBuffer(100);
          const received = new PinnedBuffer(1000);
          const before = openDescriptors();
          bytes.bytes.fill('secret');
          bytes.send(from.client, 0, 100);
          assert.equal(pipe.fill(from.server, MOST), 100);
          // The caller that filled the pipe threw an exception.
          bytes.bytes.fill('other.');
          bytes.send(from.client, 0, 10);
          assert.equal(pipe.fill(from.server, MOST), 10);
          assert.equal(pipe.drain(to.client), 0);
          assert.equal(received.recv(to.server, 0, 1000), 10);
          assert.equal(received.bytes.toString('latin1', 0, 10), 'other.othe');
          assert.equal(openDescriptors(), before);
        }),
      ),
    ));

  it('moves random amounts of random bytes unharmed', () =>
    withPipe((pipe) =>
      withPair('UNIX', (from) =>
        withPair('UNIX', (to) => {
          const sent = new PinnedBuffer(MOST);
          const received = new PinnedBuffer(MOST);
          fc.assert(
            fc.property(fc.integer({ min: 1, max: MOST }), (length) => {
              randomBytes(length).copy(sent.bytes);
              assert.equal(sent.send(from.client, 0, length), length);
              for (let done = 0; done < length;) {
                done += pipe.fill(from.server, MOST);
                assert.equal(pipe.drain(to.client), 0);
              }
              for (let done = 0; done < length;) done += received.recv(to.server, done, length);
              assert.ok(received.bytes.subarray(0, length).equals(sent.bytes.subarray(0, length)));
            }),
            { numRuns: 200 },
          );
        }),
      ),
    ));

  it('leaves no descriptor open, and refuses closed ones', () => {
    const before = openDescriptors();
    const pipe = new Pipe();
    assert.equal(openDescriptors(), before + 2);
    for (const bytes of [0, -1, NaN]) assert.throws(() => pipe.fill(0, bytes), RangeError);
    pipe.close();
    pipe.close();
    assert.equal(openDescriptors(), before);
    for (const fd of [-1, NaN, 1.5, 2 ** 40]) {
      assert.throws(() => pipe.fill(fd, MOST), RangeError);
      assert.throws(() => pipe.drain(fd), RangeError);
    }
  });

  it('does not write past a buffer that is too small for the rest', () =>
    withPipe((pipe) =>
      withPair('UNIX', ({ client, server }) => {
        const bytes = new PinnedBuffer(100);
        bytes.send(client, 0, 100);
        assert.equal(pipe.fill(server, MOST), 100);
        assert.throws(() => pipe.rest(new PinnedBuffer(99)), RangeError);
      }),
    ));
});
