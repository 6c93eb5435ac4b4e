import assert from 'node:assert/strict';
import type { Hideable } from '../../../../../src/l7/uws/clients/hidden-descriptors.ts';
import type { UwsRequester } from '../../../../../src/l7/uws/clients/known-connections.ts';
import { endsOf } from '../../connection-ends.ts';

interface FakeConnection {
  readonly cookie: number;
  received: number;
  unread: number;
  silence: number;
  hidden: boolean;
}

/** Sockets of clients as the kernel has them, by descriptor. Every look at one takes a microsecond. */
export class FakeKernel {
  now = 0;
  /** Descriptors that have been looked at, and those that have been hidden. */
  looks = 0;
  hidden = 0;
  /** Whether no descriptor is free. */
  isFull = false;
  readonly sockets = new Map<number, FakeConnection>();
  readonly #watched = new Set<number>();
  readonly #arrived = new Set<number>();
  #cookies = 0;

  accept(fd: number, silence = 0): void {
    this.#watched.delete(fd);
    this.sockets.set(fd, { cookie: ++this.#cookies, received: 100, unread: 0, silence, hidden: false });
  }

  /** Bytes come. @param unread how many uWS has not read */
  arrive(fd: number, unread = 0): void {
    const socket = this.sockets.get(fd)!;
    socket.received += 10;
    socket.unread = unread;
    if (this.#watched.has(fd)) this.#arrived.add(fd);
  }

  /** A request on the connection. */
  requester(fd: number, { address = '192.0.2.1', body = null as object | null } = {}): UwsRequester {
    const { cookie } = this.sockets.get(fd)!;
    return {
      peer: '192.0.2.1',
      client: { address },
      engine: { clients: null, clientsTouched: () => undefined },
      body,
      startedAt: this.now,
      ends: () => endsOf(address),
      connection: {
        getRemoteAddress: () => {
          const socket = this.sockets.get(fd);
          return new ArrayBuffer(socket?.cookie === cookie && !socket.hidden ? 4 : 0);
        },
      },
    };
  }

  tableSize(): number {
    return Math.max(0, ...this.sockets.keys()) + 1;
  }

  includes(fd: number): boolean {
    return this.sockets.has(fd);
  }

  received(fd: number): number {
    return this.sockets.get(fd)?.received ?? -1;
  }

  unread(fd: number): number {
    return this.sockets.get(fd)?.unread ?? 0;
  }

  silence(fd: number): number {
    this.looks++;
    this.now += 0.001;
    return this.sockets.get(fd)?.silence ?? Infinity;
  }

  cookie(fd: number): number {
    return this.sockets.get(fd)?.cookie ?? 0;
  }

  watch(fd: number): boolean {
    if (this.#watched.has(fd) || !this.sockets.has(fd)) return false;
    this.#watched.add(fd);
    return true;
  }

  unwatch(fd: number): void {
    this.#watched.delete(fd);
  }

  take(): number[] {
    const fds = [...this.#arrived];
    this.#arrived.clear();
    return fds;
  }

  swap(fds: readonly number[]): Hideable & { end(): void } {
    if (this.isFull) throw new Error('EMFILE');
    this.hidden += fds.length;
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
