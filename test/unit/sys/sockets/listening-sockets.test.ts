import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { dropNewConnections } from '../../../../src/sys/sockets/hand-over.ts';
import { findListening, stopListening } from '../../../../src/sys/sockets/listening-sockets.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../../src/sys/sockets/sockets.ts';
import { eventually, within } from '../../../support/deadline.ts';

describe('listening sockets', { timeout: 300_000 }, () => {
  const servers: Server[] = [];
  const clients: Socket[] = [];

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(host: string, port = 0, backlog = 511): Promise<{ server: Server; port: number }> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
    });
    servers.push(server);
    server.listen({ host, port, backlog, reusePort: true });
    await once(server, 'listening');
    return { server, port: (server.address() as AddressInfo).port };
  }

  function dial(port: number): Socket {
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  }

  it('are found by their port, even if several share it, if they listen', async () => {
    const one = await listen('127.0.0.1');
    assert.equal(findListening(one.port).length, 1);
    const two = await listen('127.0.0.1', one.port);
    assert.equal(findListening(one.port).length, 2);
    const client = dial(one.port);
    await once(client, 'connect');
    assert.equal(findListening(one.port).length, 2);
    assert.deepEqual(findListening(client.localPort!), []);
    // It may be the second that has it, which would wait for its end.
    client.destroy();
    two.server.close();
    await once(two.server, 'close');
    assert.equal(findListening(one.port).length, 1);
  });

  it('of other threads can be stopped: the rest get all connections, waiting ones are reset', async () => {
    const one = await listen('127.0.0.1');
    const [own = -1] = findListening(one.port);
    const two = await listen('127.0.0.1', one.port);
    assert.equal(stopListening(own), true);
    assert.deepEqual(findListening(one.port).length, 1);
    let accepted = 0;
    two.server.on('connection', () => accepted++);
    const opened = Array.from({ length: 30 }, () => dial(one.port));
    await Promise.all(opened.map((client) => once(client, 'connect')));
    await eventually(() => assert.equal(accepted, 30));
    assert.equal(stopListening(own), false);
  });

  it('are distinguished from connections, which continue', async () => {
    const { server, port } = await listen('127.0.0.1');
    const client = dial(port);
    const [served] = (await once(server, 'connection')) as [Socket & { _handle: { fd: number } }];
    const { fd } = served._handle;
    for (const refuse of [stopListening, dropNewConnections]) {
      assert.equal(refuse(fd), false);
      assert.equal(refuse(1_000_000), false);
    }
    client.write('x');
    await once(served, 'data');
  });

  it('that are stopped reset connections that wait to be accepted', async () => {
    const sockets = new Sockets();
    const { server, port } = await listen('127.0.0.1');
    server.close();
    await once(server, 'close');
    const fd = sockets.listen(new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port }), 16);
    const waiting = dial(port);
    await once(waiting, 'connect');
    const closed = new Promise((resolve) => waiting.on('close', resolve));
    const failed = new Promise((resolve) => waiting.on('error', resolve));
    assert.equal(stopListening(fd), true);
    assert.equal(((await within('the reset', failed)) as NodeJS.ErrnoException).code, 'ECONNRESET');
    await closed;
    sockets.close(fd);
  });
});
