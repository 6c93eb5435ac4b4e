import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { SendQueue } from '../../../../src/transport/raw/send-queue.ts';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { withPair } from '../../sys/pairs.ts';

const MIB = 1024 * 1024;

describe('a queue of bytes to send', { skip: unsupportedReason() ?? false }, () => {
  it('keeps the order of bytes for all sizes, and counts waiting bytes', async () => {
    await withPair('IPv4', ({ client, server }) => {
      const queue = new SendQueue();
      const input = new PinnedBuffer(256 * 1024);
      const sent = createHash('sha256');
      const got = createHash('sha256');
      let pushed = 0;
      let received = 0;
      const take = (): void => {
        for (;;) {
          const count = input.recv(server, 0, input.bytes.length);
          if (count <= 0) return;
          got.update(input.bytes.subarray(0, count));
          received += count;
        }
      };
      for (let round = 0; round < 400; round++) {
        const bytes = randomBytes((round * 7919) % 60_000);
        sent.update(bytes);
        queue.push(bytes);
        pushed += bytes.length;
        const result = queue.send(client);
        assert.ok(result === 0 || result === -EAGAIN, String(result));
        if (round % 50 === 49) take();
      }
      for (let turn = 0; queue.length > 0 && turn < 100_000; turn++) {
        queue.send(client);
        take();
      }
      assert.equal(queue.length, 0);
      for (let turn = 0; received < pushed && turn < 100_000; turn++) take();
      assert.equal(received, pushed);
      assert.equal(got.digest('hex'), sent.digest('hex'));
    });
  });

  it('frees all memory but a few blocks when it is cleared', () => {
    const bytes = Buffer.alloc(MIB);
    const highest = (rounds: number): number => {
      let most = 0;
      for (let round = 0; round < rounds; round++) {
        const queue = new SendQueue();
        queue.push(bytes.subarray(0, 100));
        for (let count = 0; count < 4; count++) queue.push(bytes);
        queue.clear();
        assert.equal(queue.length, 0);
        most = Math.max(most, process.memoryUsage().arrayBuffers);
      }
      return most;
    };
    const before = highest(1);
    // Left to the garbage collector, it is some 60 MiB at times.
    const grown = highest(100) - before;
    assert.ok(grown <= 4 * MIB, `${grown} bytes`);
  });

  it('can be reused after a clear', async () => {
    await withPair('IPv4', ({ client, server }) => {
      const queue = new SendQueue();
      queue.push(Buffer.alloc(1_000_000, 'a'));
      assert.equal(queue.send(client), 0);
      queue.push(Buffer.alloc(1000, 'a'));
      queue.clear();
      queue.push(Buffer.from('b'));
      assert.equal(queue.length, 1);
      assert.equal(queue.send(client), 0);
      const input = new PinnedBuffer(256 * 1024);
      let last = '';
      for (;;) {
        const count = input.recv(server, 0, input.bytes.length);
        if (count <= 0) break;
        last = input.bytes.toString('latin1', count - 1, count);
      }
      assert.equal(last, 'b');
    });
  });

  it('returns the error that stopped a send', async () => {
    await withPair('IPv4', ({ client }) => {
      const queue = new SendQueue();
      queue.push(Buffer.alloc(8 * 1024 * 1024));
      assert.equal(queue.send(client), 0);
      // The kernel may have made more room meanwhile.
      let waiting: number;
      let result: number;
      do {
        waiting = queue.length;
        assert.ok(waiting > 0);
        result = queue.send(client);
      } while (result === 0);
      assert.equal(result, -EAGAIN);
      assert.equal(queue.length, waiting);
    });
  });
});
