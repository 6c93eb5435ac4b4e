import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { descriptorOf } from '../../../../src/sys/node/node-sockets.ts';
import { AcceptedSockets } from '../../../../src/sys/sockets/accepted-sockets.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { eventually } from '../../../support/deadline.ts';

const skip = unsupportedReason() ?? false;

describe('accepted sockets', { skip, timeout: 60_000 }, () => {
  const sockets: Socket[] = [];
  const servers: Server[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** A listening socket's port. */
  async function listen(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer(onSocket);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** A client and the server's socket. */
  async function pair(): Promise<{ client: Socket; server: Socket; fd: number; accepted: AcceptedSockets }> {
    const arrival = Promise.withResolvers<Socket>();
    const port = await listen(arrival.resolve);
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => undefined);
    const server = await arrival.promise;
    server.on('error', () => undefined);
    sockets.push(client, server);
    return { client, server, fd: descriptorOf(server)!, accepted: new AcceptedSockets() };
  }

  it('report received and unread bytes', async () => {
    const { client, server, fd, accepted } = await pair();
    assert.deepEqual([accepted.received(fd), accepted.unread(fd)], [0, 0]);
    server.pause();
    client.write('x'.repeat(1000));
    await eventually(() => assert.ok(accepted.received(fd) === 1000));
    server.resume();
    await eventually(() => assert.ok(accepted.unread(fd) === 0));
    assert.equal(accepted.received(fd), 1000);
    assert.equal(accepted.received(99_999), -1);
  });

  it('report the time since the last byte', async () => {
    const { client, fd, accepted } = await pair();
    // The kernel counts in ticks of up to 10 ms.
    await eventually(() => assert.ok(accepted.silence(fd) >= 50));
    const [before, since] = [accepted.received(fd), performance.now() - accepted.silence(fd)];
    client.write('x');
    await eventually(() => assert.ok(accepted.received(fd) > before));
    assert.ok(accepted.silence(fd) < performance.now() - since - 20);
    assert.equal(accepted.silence(0), Infinity);
  });

  it('end reading only for the right socket', async () => {
    const { server, fd, accepted } = await pair();
    const cookie = accepted.cookie(fd);
    assert.ok(cookie > 0);
    let ended = false;
    server.on('end', () => (ended = true));
    server.resume();
    accepted.endReading(fd, cookie + 1);
    accepted.endReading(fd, 0);
    await new Promise(setImmediate);
    assert.equal(ended, false);
    accepted.endReading(fd, cookie);
    await eventually(() => assert.ok(ended));
  });

  it('report that their own side sent FIN', async () => {
    const { client, server, fd, accepted } = await pair();
    assert.deepEqual([accepted.isFinishing(fd), accepted.hasFinished(fd)], [false, false]);
    server.end();
    await eventually(() => assert.ok(accepted.isFinishing(fd) || server.destroyed));
    assert.ok(accepted.isFinishing(fd));
    await eventually(() => assert.ok(accepted.hasFinished(fd)));
    client.end();
    await once(server, 'close');
    assert.deepEqual([accepted.isFinishing(fd), accepted.hasFinished(fd)], [false, false]);
  });

  it('have no peer while they are hidden, and work again when they are shown', async () => {
    const { client, server, fd, accepted } = await pair();
    const before = readlinkSync(`/proc/self/fd/${fd}`);
    const swap = accepted.swap([fd]);
    swap.hide(0);
    swap.hide(0);
    assert.notEqual(readlinkSync(`/proc/self/fd/${fd}`), before);
    swap.show(0);
    assert.equal(readlinkSync(`/proc/self/fd/${fd}`), before);
    swap.hide(0);
    swap.end();
    swap.end();
    assert.equal(readlinkSync(`/proc/self/fd/${fd}`), before);
    client.write('still here');
    const [data] = (await once(server, 'data')) as [Buffer];
    assert.equal(data.toString(), 'still here');
  });

  it('leave no descriptor behind when they cannot be hidden', async () => {
    const { fd, accepted } = await pair();
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    assert.throws(() => accepted.swap([fd, 99_999]), { code: 'EBADF' });
    assert.equal(count(), before);
  });
});
