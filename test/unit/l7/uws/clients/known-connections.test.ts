import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  KnownConnections,
  type KnownConnection,
} from '../../../../../src/l7/uws/clients/known-connections.ts';
import { FakeKernel } from './fake-kernel.ts';

describe('the connections of clients', () => {
  function rig(...fds: readonly number[]): {
    kernel: FakeKernel;
    clients: KnownConnections;
    /** The connections of each descriptor. */
    known: KnownConnection[];
  } {
    const kernel = new FakeKernel();
    const clients = new KnownConnections(kernel, kernel);
    const known = fds.map((fd) => {
      kernel.accept(fd);
      return clients.connection(fd, '192.0.2.1')!;
    });
    for (const client of known) assert.ok(client.watch());
    return { kernel, clients, known };
  }

  it('are recognised among others with the same address', () => {
    const { kernel, clients, known } = rig(7, 8, 9);
    kernel.accept(10);
    for (const [index, fd] of [7, 8, 9, 10, 8, 7].entries()) {
      kernel.arrive(fd);
      assert.equal(clients.recognise(kernel.requester(fd)), known[[0, 1, 2, 3, 1, 0][index]!] ?? null);
    }
  });

  it('are recognised in any order if all have unread bytes', () => {
    const fds = Array.from({ length: 300 }, (_, index) => index + 7);
    const { kernel, clients, known } = rig(...fds);
    for (const fd of fds) kernel.arrive(fd, 10);
    for (const fd of fds.toReversed()) {
      kernel.sockets.get(fd)!.unread = 0;
      assert.equal(clients.recognise(kernel.requester(fd)), known[fd - 7]);
    }
    // Each was hidden for its own request only.
    assert.equal(kernel.hidden, 300);
  });

  it('cost nothing while silent, and once for bytes without a request', () => {
    const { kernel, clients, known } = rig(7, 8, 9);
    kernel.accept(10);
    for (const fd of [7, 8, 9]) kernel.arrive(fd);
    for (let turn = 0; turn < 5; turn++) assert.equal(clients.recognise(kernel.requester(10)), null);
    assert.equal(kernel.hidden, 3);
    // The remainder of a head.
    kernel.arrive(8);
    assert.equal(clients.recognise(kernel.requester(8)), known[1]);
  });

  it('are recognised while more of a body has arrived than uWS has read', () => {
    const { kernel, clients, known } = rig(7, 8);
    kernel.arrive(7, 5);
    kernel.arrive(8, 5);
    assert.equal(clients.recognise(kernel.requester(8, { body: {} })), known[1]);
    assert.equal(clients.recognise(kernel.requester(7, { body: {} })), known[0]);
  });

  it('are not recognised after another socket reused the descriptor', () => {
    const { kernel, clients, known } = rig(7, 8);
    kernel.sockets.delete(7);
    assert.equal(known[0]!.isOpen(), false);
    kernel.accept(7);
    assert.equal(known[0]!.isOpen(), false);
    kernel.arrive(7);
    assert.equal(clients.recognise(kernel.requester(7)), null);
    assert.equal(known[0]!.watch(), false);
  });

  it('are not recognised unwatched, or for another address', () => {
    const { kernel, clients, known } = rig(7);
    kernel.arrive(7);
    assert.equal(clients.recognise({ ...kernel.requester(7), peer: '192.0.2.2' }), null);
    assert.equal(clients.recognise(kernel.requester(7)), known[0]);
    known[0]!.unwatch();
    kernel.arrive(7);
    assert.equal(clients.recognise(kernel.requester(7)), null);
  });

  it('are recognised by their latest record if they were found twice', () => {
    const { kernel, clients, known } = rig(7);
    const again = clients.connection(7, '192.0.2.1')!;
    assert.ok(again.watch());
    kernel.arrive(7);
    assert.equal(clients.recognise(kernel.requester(7)), again);
    known[0]!.unwatch();
    kernel.arrive(7);
    assert.equal(clients.recognise(kernel.requester(7)), again);
  });

  it('are not recognised without a free descriptor', () => {
    const { kernel, clients } = rig(7);
    kernel.isFull = true;
    kernel.arrive(7);
    assert.equal(clients.recognise(kernel.requester(7)), null);
  });
});
