import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { it } from 'node:test';
import { Arrivals } from '../../../../src/sys/sockets/arrivals.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { eventually } from '../../../support/deadline.ts';

const skip = unsupportedReason() ?? false;

it('arrivals are reported even if other code has read the bytes', { skip, timeout: 60_000 }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrivals = new Arrivals();
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    const [socket] = (await once(server, 'connection')) as [Socket];
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    assert.ok(arrivals.watch(fd));
    assert.equal(arrivals.watch(fd), false);
    assert.deepEqual(arrivals.take(), [fd]);
    assert.deepEqual(arrivals.take(), []);
    for (let turn = 0; turn < 3; turn++) {
      client.write('bytes');
      await once(socket, 'data');
      assert.deepEqual(arrivals.take(), [fd]);
      assert.deepEqual(arrivals.take(), []);
    }
    arrivals.unwatch(fd);
    arrivals.unwatch(fd);
    client.write('bytes');
    await once(socket, 'data');
    assert.deepEqual(arrivals.take(), []);
    assert.ok(arrivals.watch(fd));
    client.destroy();
    await eventually(() => assert.ok(socket.destroyed));
    assert.equal(arrivals.watch(fd), false);
  } finally {
    arrivals.close();
    client.destroy();
    server.close();
  }
});
