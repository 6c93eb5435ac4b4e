import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { HandOver } from '../../../../src/sys/sockets/hand-over.ts';
import { findListening } from '../../../../src/sys/sockets/listening-sockets.ts';
import { eventually, within } from '../../../support/deadline.ts';

/** Connections of a test. Half of the sockets would get all of them by chance once in 10^15 times. */
const CONNECTS = 50;

/** A listening server, and the number of connections that it has accepted. */
interface Listening {
  readonly server: Server;
  readonly port: number;
  readonly fd: number;
  accepted: number;
}

describe('handing over an address', { timeout: 300_000 }, () => {
  const servers: Server[] = [];
  const clients: Socket[] = [];

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(host: string, port: number): Promise<Listening> {
    const before = port === 0 ? [] : findListening(port);
    const server = createServer((socket) => {
      listening.accepted++;
      socket.on('error', () => undefined);
      socket.resume();
    });
    servers.push(server);
    server.listen({ host, port, reusePort: true });
    await once(server, 'listening');
    const { port: own } = server.address() as AddressInfo;
    const [fd = -1] = findListening(own).filter((other) => !before.includes(other));
    const listening: Listening = { server, port: own, fd, accepted: 0 };
    return listening;
  }

  async function group(host: string, size: number): Promise<Listening[]> {
    const first = await listen(host, 0);
    const all = [first];
    while (all.length < size) all.push(await listen(host, first.port));
    return all;
  }

  function dial(host: string, port: number): Socket {
    const client = connect(port, host);
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  }

  /** Opens connections, and counts those that each socket of a group gets. */
  async function spread(host: string, all: readonly Listening[]): Promise<number[]> {
    for (const one of all) one.accepted = 0;
    for (let count = 0; count < CONNECTS; count++) {
      const client = dial(host, all[0]!.port);
      await within('a connection', once(client, 'connect'));
    }
    await eventually(() => assert.equal(sum(all.map(({ accepted }) => accepted)), CONNECTS));
    return all.map((one) => one.accepted);
  }

  for (const host of ['127.0.0.1', '::1']) {
    it(`directs new connections to the heirs, at ${host}`, async (test) => {
      let all: Listening[];
      try {
        all = await group(host, 4);
      } catch (error) {
        if (host !== '::1') throw error;
        test.skip('this machine has no IPv6');
        return;
      }
      const leaving = all.slice(0, 2);
      leaving.forEach(({ fd }) => new HandOver(fd, -1));
      assert.deepEqual(await spread(host, all), [0, 0, 0, CONNECTS]);
      for (const from of [2, -2]) {
        leaving.forEach(({ fd }) => new HandOver(fd, from));
        assertShared(await spread(host, all), [2, 3]);
      }
    });
  }

  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
    [1, 2, 0],
  ]) {
    for (const successors of [3, 4]) {
      it(`continues while the other sockets close, in the order ${order.join()} before ${successors}`, async () => {
        const all = await group('127.0.0.1', order.length + successors);
        const handOvers = order.map((index) => new HandOver(all[index]!.fd, order.length));
        const heirsOf = (count: number): number[] => all.map((_, index) => index).slice(count);
        for (const [closed, index] of order.entries()) {
          handOvers[closed]!.end();
          all[index]!.server.close();
          const counts = await spread('127.0.0.1', all);
          // Some of them may have to wait for the last to close.
          if (closed + 1 < order.length) assert.equal(sum(counts.slice(0, order.length)), 0);
          else assertShared(counts, heirsOf(order.length));
        }
      });
    }
  }

  it('leaves the choice to the kernel without heirs', async () => {
    const [one, two] = (await group('127.0.0.1', 2)) as [Listening, Listening];
    for (const from of [null, 0, 3, 7, -3, -7]) {
      const other = await listen('127.0.0.1', one.port);
      new HandOver(other.fd, from);
      // It does not answer any more.
      other.server.close();
      assertShared(await spread('127.0.0.1', [one, two]), [0, 1]);
    }
  });

  it('keeps connections that have begun, and lets new ones wait for other sockets', async () => {
    const { server, port, fd } = await listen('127.0.0.1', 0);
    const before = dial('127.0.0.1', port);
    await once(before, 'connect');
    new HandOver(fd, null);
    const after = dial('127.0.0.1', port);
    const outcome = await Promise.race([
      once(after, 'connect').then(() => 'connected'),
      new Promise((settle) => setTimeout(settle, 700, 'waits')),
    ]);
    assert.equal(outcome, 'waits');
    assert.ok(!before.destroyed);
    before.end('still carried');
    await within('the other end', once(before, 'close'));

    // Another that listens on the port gets it when this one is closed: the system has tried again by then.
    await listen('127.0.0.1', port);
    const connected = once(after, 'connect');
    server.close();
    await within('the connection', connected);
  });

  it('does nothing for a socket that does not listen', () => {
    for (const from of [null, 1, -1]) new HandOver(1_000_000, from).end();
  });
});

/** Asserts that exactly the named sockets have got connections. */
function assertShared(counts: readonly number[], by: readonly number[]): void {
  for (const [index, count] of counts.entries()) {
    assert.equal(count > 0, by.includes(index), `connections of each: ${counts.join()}`);
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
