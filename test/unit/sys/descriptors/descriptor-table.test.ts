/** The descriptors that a thread notes, and their end after the thread has exited. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  allocateDescriptorTable,
  listeningDescriptorsIn,
  noteClosing,
  noteListening,
  noteOpen,
  ownDescriptorsIn,
  useDescriptorTable,
} from '../../../../src/sys/descriptors/descriptor-table.ts';
import { Epoll } from '../../../../src/sys/epoll.ts';
import { findListening } from '../../../../src/sys/sockets/listening-sockets.ts';
import { Pipe } from '../../../../src/sys/sockets/pipe.ts';
import { reclaimDescriptors } from '../../../../src/sys/sockets/reclaim.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../../src/sys/sockets/sockets.ts';
import { within } from '../../../support/deadline.ts';

const SYS = new URL('../../../../src/sys/', import.meta.url).href;

/** Listens, accepts one connection, has an epoll set and a pipe, closes one socket, and then never turns again. */
const CODE = `
  const { parentPort, workerData: { table, sys } } = require('node:worker_threads');
  const load = (name) => import(sys + name + '.ts');
  (async () => {
    const { useDescriptorTable } = await load('descriptors/descriptor-table');
    const { Sockets } = await load('sockets/sockets');
    const { SocketAddress } = await load('sockets/socket-address');
    const { Epoll } = await load('epoll');
    const { Pipe } = await load('sockets/pipe');
    useDescriptorTable(table);
    const sockets = new Sockets();
    const host = '127.0.0.1';
    const listening = sockets.listen(new SocketAddress({ kind: 'tcp', host, port: workerPort }), 16);
    new Epoll(1);
    new Pipe();
    sockets.close(sockets.open(new SocketAddress({ kind: 'tcp', host, port: 1 })));
    parentPort.postMessage('listening');
    for (;;) if (sockets.accept(listening) >= 0) parentPort.postMessage('accepted');
  })();
`;

const address = (port: number): SocketAddress => new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port });

/** Returns the open descriptors by number, each with the identity of its socket or pipe. */
function open(): Map<number, string> {
  const found = new Map<number, string>();
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      found.set(fd, readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor that lists the directory is closed by now.
    }
  }
  return found;
}

describe('the descriptors of a thread', { timeout: 300_000 }, () => {
  afterEach(() => useDescriptorTable(new SharedArrayBuffer(0)));

  it('are recorded while they are open, whatever opened them', () => {
    const table = allocateDescriptorTable();
    useDescriptorTable(table);
    const sockets = new Sockets();
    const listening = sockets.listen(address(0), 16);
    assert.deepEqual(ownDescriptorsIn(table), [listening]);
    assert.deepEqual(listeningDescriptorsIn(table), [listening]);
    const dialled = sockets.open(address(1));
    const epoll = new Epoll(1);
    const pipe = new Pipe();
    assert.equal(ownDescriptorsIn(table).length, 5);
    for (const fd of ownDescriptorsIn(table)) assert.ok(open().has(fd), `${fd} is open`);
    pipe.close();
    epoll.close();
    sockets.close(dialled);
    assert.deepEqual(ownDescriptorsIn(table), [listening]);
    sockets.close(listening);
    assert.deepEqual([...ownDescriptorsIn(table), ...listeningDescriptorsIn(table)], []);
  });

  it('of libraries are recorded only as listening sockets, and never closed', () => {
    const table = allocateDescriptorTable();
    useDescriptorTable(table);
    noteListening(77);
    assert.deepEqual([ownDescriptorsIn(table), listeningDescriptorsIn(table)], [[], [77]]);
    assert.equal(reclaimDescriptors(table), 0);
    noteClosing(77);
    assert.deepEqual(listeningDescriptorsIn(table), []);
  });

  it('are ignored if they are negative or past the table', () => {
    const table = new SharedArrayBuffer(8);
    useDescriptorTable(table);
    for (const fd of [-1, -9, 8, 1_000_000_000]) {
      noteOpen(fd);
      noteListening(fd);
      noteClosing(fd);
    }
    noteOpen(7);
    assert.deepEqual(ownDescriptorsIn(table), [7]);
  });

  it('are closed by another thread after termination, no others, and its clients are reset', async () => {
    const probe = new Sockets().listen(address(0), 1);
    const { port } = listeningPort(probe);
    new Sockets().close(probe);
    const before = open();
    const table = allocateDescriptorTable();
    const code = CODE.replace('workerPort', String(port));
    const worker = new Worker(code, { eval: true, workerData: { table, sys: SYS } });
    await within('the thread to listen', once(worker, 'message'));
    const client = connect(port, '127.0.0.1');
    const failed = once(client, 'error');
    client.on('error', () => undefined);
    await within('the connection', once(client, 'connect'));
    await within('its acceptance', once(worker, 'message'));
    await worker.terminate();
    const kept = open();
    // A listening socket, a connection, an epoll set, and the ends of a pipe.
    assert.equal(reclaimDescriptors(table), 5);
    const [error] = (await within('the reset', failed)) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    client.destroy();
    await once(client, 'close');
    assert.deepEqual(findListening(port), []);
    const after = open();
    for (const [fd, what] of before) assert.equal(after.get(fd), what, `descriptor ${fd}`);
    assert.ok(after.size < kept.size);
    assert.equal(reclaimDescriptors(new SharedArrayBuffer(16)), 0);
  });
});

function listeningPort(fd: number): { port: number } {
  const inode = readlinkSync(`/proc/self/fd/${fd}`).replace(/\D/g, '');
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[9] === inode) return { port: parseInt(fields[1]!.split(':')[1]!, 16) };
  }
  throw new Error('the socket does not listen');
}
