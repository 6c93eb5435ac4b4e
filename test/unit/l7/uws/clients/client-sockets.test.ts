import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { ClientSockets } from '../../../../../src/l7/uws/clients/client-sockets.ts';
import { OpenConnections } from '../../../../../src/l7/uws/clients/open-connections.ts';
import { descriptorOf } from '../../../../../src/sys/node/node-sockets.ts';
import { unsupportedReason } from '../../../../../src/sys/support.ts';
import { within } from '../../../../support/deadline.ts';

describe('the sockets of clients', { skip: unsupportedReason() ?? false }, () => {
  const servers: Server[] = [];
  const open: Socket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** Returns the server's side of a new connection, and its descriptor. */
  async function accept(): Promise<{ socket: Socket; fd: number }> {
    const server = createServer();
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(connect((server.address() as AddressInfo).port, '127.0.0.1'));
    const [socket] = (await within('the connection', once(server, 'connection'))) as [Socket];
    open.push(socket);
    return { socket, fd: descriptorOf(socket)! };
  }

  it('include added connections while they are open', async () => {
    const sockets = new ClientSockets();
    const listener = new OpenConnections(() => undefined);
    const { socket, fd } = await accept();
    assert.deepEqual([sockets.includes(fd), sockets.listenerOf(fd)], [false, null]);
    sockets.add(fd, listener);
    assert.deepEqual(
      [sockets.includes(fd), sockets.listenerOf(fd), sockets.tableSize()],
      [true, listener, fd + 1],
    );
    assert.ok(!sockets.includes(fd + 1));
    socket.destroy();
    await within('the close', once(socket, 'close'));
    assert.ok(!sockets.includes(fd));
    // The kernel gives the lowest free number to the next opened descriptor.
    for (let tries = 0; !existsSync(`/proc/self/fd/${fd}`); tries++) {
      assert.ok(tries < 50);
      await accept();
    }
    assert.deepEqual([sockets.includes(fd), sockets.listenerOf(fd)], [false, listener]);
    sockets.forget(fd);
    assert.equal(sockets.listenerOf(fd), null);
  });

  it('are listed, except known and closed ones', async () => {
    const sockets = new ClientSockets();
    const listener = new OpenConnections(() => undefined);
    const added = [await accept(), await accept(), await accept()];
    for (const { fd } of added) sockets.add(fd, listener);
    const [first, second, third] = added;
    second!.socket.destroy();
    await within('the close', once(second!.socket, 'close'));
    const found = sockets.find((fd) => fd === first!.fd);
    assert.deepEqual(found, [third!.fd]);
  });
});
