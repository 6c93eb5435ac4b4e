import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Address } from '../../../../src/core/address.ts';
import { codeOf } from '../../../../src/core/errors.ts';
import { EAGAIN, EINPROGRESS, errorName } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../../src/sys/sockets/sockets.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { FAMILIES, freshAddress, until, withPair } from '../pairs.ts';

const skip = unsupportedReason() ?? false;
const { ECONNREFUSED, ECONNRESET, ENOENT } = constants.errno;

describe('sockets', { skip }, () => {
  for (const family of FAMILIES) {
    it(`listens, accepts and connects over ${family}`, async () => {
      await withPair(family, async ({ client, server }, sockets) => {
        assert.equal(sockets.acceptedFrom(), { IPv4: '127.0.0.1', IPv6: '::1', UNIX: '' }[family]);
        assert.equal(sockets.takeError(client), 0);
        const buffer = new PinnedBuffer(64);
        buffer.bytes.write('ping');
        assert.equal(buffer.send(client, 0, 4), 4);
        assert.equal(await until(EAGAIN, () => buffer.recv(server, 8, 64)), 4);
        assert.equal(buffer.bytes.toString('latin1', 8, 12), 'ping');
      });
    });

    it(`returns both ends of a connection over ${family}`, async () => {
      await withPair(family, async ({ client, server }, sockets, close) => {
        const accepted = sockets.acceptedFrom();
        const source = sockets.remoteEnd(server);
        const destination = sockets.localEnd(server);
        assert.deepEqual(source, sockets.localEnd(client));
        assert.deepEqual(destination, sockets.remoteEnd(client));
        if (family === 'UNIX') {
          assert.equal(source, null);
          return;
        }
        const address = family === 'IPv4' ? '127.0.0.1' : '::1';
        assert.deepEqual([source?.address, destination?.address], [address, address]);
        assert.ok(source!.port > 0 && destination!.port > 0 && source!.port !== destination!.port);
        assert.equal(sockets.acceptedFrom(), accepted);
        sockets.resetOnClose(client);
        close(client);
        await until(0, () => (sockets.remoteEnd(server) === null ? 1 : 0));
        assert.deepEqual(sockets.localEnd(server), destination);
      });
    });

    it(`never waits, and ends one direction at a time over ${family}`, async () => {
      await withPair(family, async ({ client, server }, sockets) => {
        const buffer = new PinnedBuffer(64 * 1024);
        assert.equal(buffer.recv(server, 0, 1), -EAGAIN);
        sockets.finish(client);
        assert.equal(await until(EAGAIN, () => buffer.recv(server, 0, 1)), 0);
        let sent = 0;
        for (let taken = 1; taken > 0; sent += Math.max(0, taken)) taken = buffer.send(server, 0, 65_536);
        assert.equal(buffer.send(server, 0, 65_536), -EAGAIN);
        assert.ok(sent > 65_536);
      });
    });

    it(`reports a refused connection over ${family}`, async () => {
      const sockets = new Sockets();
      const { address, remove } = await freshAddress(family);
      const target = new SocketAddress(address);
      const fd = sockets.open(target);
      let result = sockets.connect(fd, target);
      if (result === -EINPROGRESS) result = -(await until(0, () => sockets.takeError(fd)));
      assert.equal(result, family === 'UNIX' ? -ENOENT : -ECONNREFUSED);
      sockets.close(fd);
      remove();
    });
  }

  it('resets a connection only on request', async () => {
    for (const reset of [false, true]) {
      await withPair('IPv4', async ({ client, server }, sockets, close) => {
        const buffer = new PinnedBuffer(1);
        if (reset) sockets.resetOnClose(client);
        close(client);
        const end = await until(EAGAIN, () => buffer.recv(server, 0, 1));
        assert.equal(end, reset ? -ECONNRESET : 0);
      });
    }
    await withPair('UNIX', async ({ client, server }, sockets, close) => {
      const buffer = new PinnedBuffer(1);
      sockets.resetOnClose(client);
      close(client);
      assert.equal(await until(EAGAIN, () => buffer.recv(server, 0, 1)), 0);
    });
  });

  it('counts the bytes that the peer has not acknowledged', async () => {
    await withPair('IPv4', async ({ client, server }, sockets) => {
      const buffer = new PinnedBuffer(64 * 1024);
      assert.equal(sockets.unacknowledged(client), 0);
      let sent = 0;
      for (let result = 0; result >= 0; sent += Math.max(0, result)) {
        result = buffer.send(client, 0, buffer.bytes.length);
      }
      const waiting = sockets.unacknowledged(client);
      assert.ok(waiting > 0 && waiting < sent, `${waiting} of ${sent}`);
      for (let left = sent; left > 0;) {
        left -= await until(EAGAIN, () => buffer.recv(server, 0, buffer.bytes.length));
      }
      await until(0, () => (sockets.unacknowledged(client) === 0 ? 1 : 0));
    });
  });

  it('knows the user at the other end of a UNIX socket', async () => {
    await withPair('UNIX', ({ client, server }, sockets) => {
      assert.equal(sockets.peerUser(client), process.geteuid!());
      assert.equal(sockets.peerUser(server), process.geteuid!());
    });
    await withPair('IPv4', ({ client }, sockets) => {
      assert.equal(sockets.peerUser(client), 2 ** 32 - 1);
    });
  });

  it('shares an address only with sockets of its kind', async () => {
    const sockets = new Sockets();
    const { address } = await freshAddress('IPv4');
    const target = new SocketAddress(address);
    const first = sockets.listen(target, 16);
    const second = sockets.listen(target, 16);
    assert.notEqual(first, second);
    sockets.close(first);
    sockets.close(second);
  });

  it('names the error that prevents listening, and leaves no descriptor open', async () => {
    const sockets = new Sockets();
    const { address, remove } = await freshAddress('UNIX');
    const target = new SocketAddress(address);
    const fd = sockets.listen(target, 1);
    assert.throws(
      () => sockets.listen(target, 1),
      (error: unknown) =>
        codeOf(error) === 'EADDRINUSE' && (error as Error).message.startsWith('bind EADDRINUSE unix:'),
    );
    const nowhere: Address = { kind: 'tcp', host: '192.0.2.1', port: 1 };
    assert.throws(
      () => sockets.listen(new SocketAddress(nowhere), 1),
      (error: unknown) => codeOf(error) === 'EADDRNOTAVAIL',
    );
    sockets.close(fd);
    // The lowest free number is given out: nothing has stayed open between.
    const next = sockets.open(target);
    assert.equal(next, fd);
    sockets.close(next);
    remove();
  });

  it('accepts IPv4 clients on the IPv6 wildcard address', async (test) => {
    const sockets = new Sockets();
    const { address } = await freshAddress('IPv4');
    const port = address.kind === 'tcp' ? address.port : 0;
    if (!FAMILIES.includes('IPv6')) {
      test.skip('this machine has no IPv6');
      return;
    }
    const listening = sockets.listen(new SocketAddress({ kind: 'tcp', host: '::', port }), 16);
    const target = new SocketAddress(address);
    const client = sockets.open(target);
    sockets.connect(client, target);
    const server = await until(EAGAIN, () => sockets.accept(listening));
    assert.equal(sockets.acceptedFrom(), '::ffff:127.0.0.1');
    for (const fd of [listening, client, server]) sockets.close(fd);
  });

  it('returns a number or throws for calls in any order', async () => {
    for (const family of FAMILIES) {
      for (let run = 0; run < 20; run++) {
        await withPair(family, ({ client, server }, sockets) => {
          const buffer = new PinnedBuffer(300_000);
          const nobody = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: 1 });
          const calls: ((fd: number, start: number, end: number) => unknown)[] = [
            (fd, start, end) => buffer.send(fd, start, end),
            (fd, start, end) => buffer.recv(fd, start, end),
            (fd) => sockets.accept(fd),
            (fd) => sockets.connect(fd, nobody),
            (fd) => sockets.takeError(fd),
            (fd) => sockets.finish(fd),
            (fd) => sockets.resetOnClose(fd),
            // As many bytes as there are, which no length bounds.
            (fd) => Math.sign(sockets.unacknowledged(fd)),
            (fd) => Math.sign(sockets.peerUser(fd)),
            () => sockets.acceptedFrom(),
          ];
          fc.assert(
            fc.property(
              fc.array(fc.tuple(fc.nat(calls.length - 1), fc.boolean(), fc.nat(300_001), fc.nat(300_001))),
              (steps) => {
                for (const [call, first, start, end] of steps) {
                  try {
                    const result = calls[call]!(first ? client : server, start, end);
                    if (typeof result === 'number') {
                      assert.ok(Number.isInteger(result) && result >= -4096 && result <= 300_000);
                    }
                  } catch (error) {
                    assert.ok(error instanceof RangeError, String(error));
                  }
                }
              },
            ),
            { numRuns: 20 },
          );
        });
      }
    }
  });

  it('refuses a closed descriptor', () => {
    const sockets = new Sockets();
    const target = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: 1 });
    for (const fd of [-1, NaN, 0.5, 2 ** 31]) {
      for (const call of [
        () => sockets.accept(fd),
        () => sockets.connect(fd, target),
        () => sockets.takeError(fd),
        () => sockets.finish(fd),
        () => sockets.resetOnClose(fd),
        () => sockets.unacknowledged(fd),
        () => sockets.close(fd),
      ]) {
        assert.throws(call, /is not an open descriptor/);
      }
    }
  });
});

describe('socket addresses', { skip }, () => {
  it('stores every notation of an address in network byte order', () => {
    const ipv4 = new SocketAddress({ kind: 'tcp', host: '192.0.2.7', port: 258 });
    assert.equal(ipv4.text, '192.0.2.7:258');
    assert.deepEqual([...ipv4.memory.bytes.subarray(0, 8)], [2, 0, 1, 2, 192, 0, 2, 7]);
    const ipv6 = new SocketAddress({ kind: 'tcp', host: '2001:db8::ff:1', port: 258 });
    assert.deepEqual(
      [...ipv6.memory.bytes.subarray(0, ipv6.length)],
      [10, 0, 1, 2, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 1, 0, 0, 0, 0],
    );
    const mapped = new SocketAddress({ kind: 'tcp', host: '::ffff:192.0.2.7', port: 1 });
    assert.deepEqual([...mapped.memory.bytes.subarray(18, 24)], [0xff, 0xff, 192, 0, 2, 7]);
  });

  it('resolves the interface of a link-local address', () => {
    const scope = (host: string): number =>
      new SocketAddress({ kind: 'tcp', host, port: 1 }).memory.bytes.readUInt32LE(24);
    assert.equal(scope('fe80::1'), 0);
    assert.equal(scope('fe80::1%7'), 7);
    assert.equal(scope('fe80::1%lo'), 1);
    assert.throws(() => scope('fe80::1%nosuch0'), /no network interface nosuch0/);
  });

  it('refuses names', () => {
    assert.throws(() => new SocketAddress({ kind: 'tcp', host: 'localhost', port: 1 }), /is a host name/);
    assert.throws(() => new SocketAddress({ kind: 'unix', path: 'x'.repeat(108) }), RangeError);
  });
});

describe('error numbers', () => {
  it('have the names that Node uses', () => {
    assert.equal(errorName(ECONNRESET), 'ECONNRESET');
    assert.equal(errorName(EAGAIN), 'EAGAIN');
  });
});
