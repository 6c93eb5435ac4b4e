import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EAGAIN, EINPROGRESS } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { Handshakes } from '../../../../src/sys/sockets/handshakes.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../../src/sys/sockets/sockets.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { FAMILIES, freshAddress, until } from '../pairs.ts';

const skip = unsupportedReason() ?? false;
const { ECONNREFUSED } = constants.errno;
const MAX_ROUND_TRIP_US = 10_000_000;
/** The kernel sends the last ACK of a handshake 200 ms late. */
const ACK_MS = 250;

for (const family of FAMILIES) {
  if (family === 'UNIX') continue;
  const version = family === 'IPv4' ? 4 : 6;

  describe(`handshakes by ${family}`, { skip }, () => {
    /** Runs a test with an address that listens. */
    async function listening(
      test: (host: string, port: number, accept: () => number, sockets: Sockets) => Promise<void>,
    ): Promise<void> {
      const sockets = new Sockets();
      const { address } = await freshAddress(family);
      assert.ok(address.kind === 'tcp');
      const server = sockets.listen(new SocketAddress(address), 16);
      try {
        await test(address.host, address.port, () => sockets.accept(server), sockets);
      } finally {
        sockets.close(server);
      }
    }

    it('measure the round trip repeatedly on one socket, unseen by the listening process', async () => {
      await listening(async (host, port, accept) => {
        const handshakes = new Handshakes(version);
        const used = new Set<number>();
        for (let count = 0; count < 5; count++) {
          const fd = handshakes.start(host, port);
          assert.ok(fd >= 0);
          used.add(fd);
          const roundTrip = await until(EINPROGRESS, () => handshakes.poll(fd));
          assert.ok(roundTrip > 0 && roundTrip < MAX_ROUND_TRIP_US, `${roundTrip} us`);
        }
        assert.equal(used.size, 1);
        await setTimeout(ACK_MS);
        assert.equal(accept(), -EAGAIN);
      });
    });

    it('end without a reset if the peer may already have the connection', async () => {
      await listening(async (host, port, accept, sockets) => {
        const handshakes = new Handshakes(version);
        const fd = handshakes.start(host, port);
        const accepted = await until(EAGAIN, accept);
        assert.ok((await until(EINPROGRESS, () => handshakes.poll(fd))) > 0);
        const buffer = new PinnedBuffer(1);
        assert.equal(await until(EAGAIN, () => buffer.recv(accepted, 0, 1)), 0, 'FIN');
        sockets.close(accepted);
      });
    });

    it('succeed if the peer has since reset the connection', async () => {
      await listening(async (host, port, accept, sockets) => {
        const handshakes = new Handshakes(version);
        const fd = handshakes.start(host, port);
        const accepted = await until(EAGAIN, accept);
        sockets.resetOnClose(accepted);
        sockets.close(accepted);
        await until(0, () => (sockets.isConnected(fd) ? 0 : 1));
        assert.equal(handshakes.poll(fd), 0);
      });
    });

    it('report refusals, and addresses that cannot be connected to', async () => {
      const handshakes = new Handshakes(version);
      const { address } = await freshAddress(family);
      assert.ok(address.kind === 'tcp');
      const { host, port } = address;
      const fd = handshakes.start(host, port);
      // Linux may tell at once.
      const result = fd < 0 ? fd : await until(EINPROGRESS, () => handshakes.poll(fd));
      assert.equal(result, -ECONNREFUSED);
      assert.ok(handshakes.start('no address', 80) < 0);
    });

    it('leave nothing after a cancel, and their sockets are reused', async () => {
      await listening(async (host, port, accept) => {
        const handshakes = new Handshakes(version);
        const fd = handshakes.start(host, port);
        handshakes.cancel(fd);
        const other = handshakes.start(host, port);
        assert.equal(other, fd);
        assert.ok((await until(EINPROGRESS, () => handshakes.poll(other))) > 0);
        await setTimeout(ACK_MS);
        assert.equal(accept(), -EAGAIN);
      });
    });
  });
}
