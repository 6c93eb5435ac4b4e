import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ClientConnections,
  type Asker,
  type ClientConnection,
} from '../../../../src/l7/bound/client-connections.ts';
import type { Hideable } from '../../../../src/l7/uws-descriptors.ts';

/** Sockets of clients as the kernel has them, by descriptor. */
class Kernel {
  now = 0;
  finds = 0;
  disguises = 0;
  /** How long it takes to hide descriptors. */
  disguiseMs = 0;
  readonly sockets = new Map<
    number,
    { cookie: number; received: number; silence: number; hidden: boolean }
  >();
  #cookies = 0;

  accept(fd: number, silence = 0): void {
    this.sockets.set(fd, { cookie: ++this.#cookies, received: 100, silence, hidden: false });
  }

  /** A request on the connection. */
  asker(fd: number): Asker {
    const { cookie } = this.sockets.get(fd)!;
    return {
      peer: '192.0.2.1',
      startedAt: this.now,
      socket: {
        getRemoteAddress: () => {
          const socket = this.sockets.get(fd);
          return new ArrayBuffer(socket?.cookie === cookie && !socket.hidden ? 4 : 0);
        },
      },
    };
  }

  find(): number[] {
    this.finds++;
    this.now += 10;
    return [...this.sockets.keys()];
  }

  received(fd: number): number {
    return this.sockets.get(fd)?.received ?? -1;
  }

  silence(fd: number): number {
    return this.sockets.get(fd)?.silence ?? Infinity;
  }

  cookie(fd: number): number {
    return this.sockets.get(fd)?.cookie ?? 0;
  }

  disguise(fds: readonly number[]): Hideable & { end(): void } {
    this.disguises++;
    this.now += this.disguiseMs;
    const show = (index: number, hidden: boolean): void => {
      this.sockets.get(fds[index]!)!.hidden = hidden;
    };
    return {
      size: fds.length,
      hide: (index) => show(index, true),
      show: (index) => show(index, false),
      end: () => assert.ok([...this.sockets.values()].every(({ hidden }) => !hidden)),
    };
  }
}

describe('the connections of clients', () => {
  function kernelOf(...fds: readonly number[]): { kernel: Kernel; clients: ClientConnections } {
    const kernel = new Kernel();
    for (const fd of fds) kernel.accept(fd);
    return { kernel, clients: new ClientConnections(kernel, () => kernel.now) };
  }

  it('are found by their descriptors, whatever comes before them', () => {
    const { kernel, clients } = kernelOf(...Array.from({ length: 300 }, (_, index) => index + 7));
    for (const fd of [7, 134, 135, 306]) {
      for (const socket of kernel.sockets.values()) socket.silence = 100_000;
      for (const silence of [0, 100_000]) {
        kernel.sockets.get(fd)!.silence = silence;
        kernel.now += 10_000;
        assert.equal(clients.find(kernel.asker(fd), true)?.fd, fd);
      }
    }
  });

  it('are recognised among others with the same address', () => {
    const { kernel, clients } = kernelOf(7, 8, 9, 10);
    const known = [7, 8, 9].map((fd) => clients.find(kernel.asker(fd), true)!);
    for (const [index, fd] of [7, 8, 9, 10].entries()) {
      for (const socket of kernel.sockets.values()) socket.received += 10;
      assert.equal(clients.recognise(kernel.asker(fd), new Set(known)), known[index] ?? null);
    }
  });

  it('are not recognised when another socket has the descriptor', () => {
    const { kernel, clients } = kernelOf(7, 8);
    const known = clients.find(kernel.asker(7), true)!;
    kernel.sockets.delete(7);
    assert.equal(clients.isOpen(known), false);
    kernel.accept(7);
    kernel.sockets.get(7)!.received = 1000;
    assert.equal(clients.isOpen(known), false);
    assert.equal(clients.recognise(kernel.asker(7), new Set([known])), null);
  });

  it('are looked for a quarter of the time at most, and requests without credentials leave the half of it', () => {
    const { kernel, clients } = kernelOf(7);
    const asker = kernel.asker(7);
    const look = (hasCredentials: boolean): number => {
      const before = kernel.finds;
      for (let count = 0; count < 200; count++) clients.find(asker, hasCredentials);
      return kernel.finds - before;
    };
    // Each look takes 10 ms, and 200 may be spent at once.
    assert.deepEqual([look(false), look(true)], [14, 13]);
    kernel.now += 400;
    assert.deepEqual([look(false), look(true)], [0, 13]);
  });

  it('are recognised among many of one address a quarter of the time at most, and among few always', () => {
    const fds = Array.from({ length: 40 }, (_, index) => index + 7);
    const { kernel, clients } = kernelOf(...fds);
    const known = fds.map((fd) => {
      kernel.now += 100_000;
      return clients.find(kernel.asker(fd), true)!;
    });
    const asker = kernel.asker(7);
    const look = (among: ReadonlySet<ClientConnection>): number => {
      let recognised = 0;
      for (let count = 0; count < 100; count++) {
        for (const socket of kernel.sockets.values()) socket.received++;
        if (clients.recognise(asker, among) === known[0]) recognised++;
      }
      return recognised;
    };
    kernel.disguiseMs = 10;
    kernel.now += 100_000;
    // Each look takes 10 ms, and 200 may be spent at once.
    assert.deepEqual([look(new Set(known)), look(new Set(known.slice(0, 32)))], [27, 100]);
    assert.equal(kernel.disguises, 40 + 27 + 100);
  });

  it('are never found without system calls, or without a free descriptor', () => {
    const { kernel } = kernelOf(7);
    const without = new ClientConnections(null, () => 0);
    assert.equal(without.isSupported, false);
    assert.equal(without.find(kernel.asker(7), true), null);
    const full = Object.assign(new Kernel(), {
      disguise: () => {
        throw new Error('EMFILE');
      },
    });
    full.accept(7);
    assert.equal(new ClientConnections(full, () => full.now).find(full.asker(7), true), null);
  });
});
