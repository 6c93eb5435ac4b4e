import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  LingeringConnections,
  MAX_LINGER_MS,
} from '../../../../../src/l7/uws/clients/lingering-connections.ts';
import { OpenConnections } from '../../../../../src/l7/uws/clients/open-connections.ts';

interface FakeSocket {
  readonly cookie: number;
  readonly listener: OpenConnections;
  isOpen: boolean;
  /** Whether the client has received our FIN, and has not closed. */
  hasFinished: boolean;
}

/** The kernel's sockets, a clock, and the listeners that uWS serves. Every look takes a microsecond. */
class Rig {
  now = 0;
  looks = 0;
  /** Connections whose reading was ended. */
  readonly cut: number[] = [];
  /** Connections that have been counted as closed. */
  closed = 0;
  /** The longest step, in milliseconds. */
  longest = 0;
  readonly listener = this.listen();
  readonly lingering = new LingeringConnections(this, {
    now: () => this.now,
    delay: (ms, callback) => this.#due.push({ at: this.now + ms, callback }),
  });
  readonly #sockets: (FakeSocket | null)[] = [];
  readonly #due: { at: number; callback: () => void }[] = [];
  #cookies = 0;

  listen(): OpenConnections {
    return new OpenConnections(() => this.closed++);
  }

  open(fd: number, listener = this.listener): void {
    this.#sockets[fd] = { cookie: ++this.#cookies, listener, isOpen: true, hasFinished: false };
    this.lingering.opened(fd, listener);
  }

  /** uWS ends the connection's WebSocket by close frames. */
  end(fd: number, hasFinished = true): void {
    this.#sockets[fd]!.hasFinished = hasFinished;
    this.lingering.ended(this.#sockets[fd]!.listener);
  }

  /** The connection closes without a word of uWS. */
  close(fd: number): void {
    this.#sockets[fd]!.isOpen = false;
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.#due.sort((one, other) => one.at - other.at);
      if (this.#due.length === 0 || this.#due[0]!.at > end) break;
      const { at, callback } = this.#due.shift()!;
      this.now = Math.max(this.now, at);
      const before = this.now;
      callback();
      this.longest = Math.max(this.longest, this.now - before);
    }
    this.now = Math.max(this.now, end);
  }

  get isIdle(): boolean {
    return this.#due.length === 0;
  }

  tableSize(): number {
    return this.#sockets.length;
  }

  listenerOf(fd: number): OpenConnections | null {
    return this.#sockets[fd]?.listener ?? null;
  }

  includes(fd: number): boolean {
    this.looks++;
    this.now += 0.001;
    return this.#sockets[fd]?.isOpen === true;
  }

  forget(fd: number): void {
    this.#sockets[fd] = null;
  }

  hasFinished(fd: number): boolean {
    return this.#sockets[fd]!.hasFinished;
  }

  cookie(fd: number): number {
    return this.#sockets[fd]!.cookie;
  }

  endReading(fd: number, cookie: number): void {
    assert.equal(cookie, this.#sockets[fd]!.cookie);
    this.cut.push(fd);
    this.close(fd);
  }
}

describe('connections of ended WebSockets', () => {
  it('count until their descriptors are closed', () => {
    const rig = new Rig();
    for (const fd of [7, 8, 9]) rig.open(fd);
    rig.end(7);
    rig.end(8);
    rig.pass(1000);
    assert.deepEqual([rig.closed, rig.listener.lingering], [0, 2]);
    rig.close(8);
    rig.pass(200);
    assert.deepEqual([rig.closed, rig.listener.lingering, rig.listener.served], [1, 1, 1]);
    rig.close(7);
    rig.pass(200);
    assert.deepEqual([rig.closed, rig.listener.lingering], [2, 0]);
    assert.ok(rig.isIdle, 'nothing is looked at without need');
  });

  it('stop counting at once if their clients close at once', () => {
    const rig = new Rig();
    for (let fd = 7; fd < 1000; fd++) rig.open(fd);
    rig.end(100);
    rig.close(100);
    rig.pass(10);
    assert.equal(rig.closed, 1);
  });

  it('count until uWS closes them if their clients read nothing', () => {
    const rig = new Rig();
    rig.open(7);
    rig.end(7, false);
    rig.pass(60_000);
    assert.deepEqual([rig.closed, rig.cut], [0, []]);
    rig.close(7);
    rig.pass(200);
    assert.equal(rig.closed, 1);
  });

  it('are cut if their clients have received everything without closing', () => {
    const rig = new Rig();
    rig.open(7);
    rig.open(8);
    rig.end(7);
    rig.pass(MAX_LINGER_MS - 100);
    assert.deepEqual(rig.cut, []);
    rig.pass(400);
    assert.deepEqual([rig.cut, rig.closed], [[7], 1]);
  });

  it('are not cut after another connection has reused the descriptor', () => {
    const rig = new Rig();
    rig.open(7);
    rig.open(8);
    rig.end(7);
    rig.end(8);
    rig.pass(MAX_LINGER_MS - 500);
    rig.close(7);
    rig.open(7);
    rig.end(7);
    rig.pass(1000);
    assert.deepEqual(rig.cut, [8]);
  });

  it('are distinguished from connections that open and close during a round', () => {
    const rig = new Rig();
    const count = 10_000;
    for (let fd = 0; fd < count; fd++) rig.open(fd);
    for (let fd = 0; fd < 10; fd++) rig.end(fd);
    // A round is in progress.
    rig.pass(6);
    for (let fd = count; fd < count + 100; fd++) rig.open(fd);
    for (let fd = 5; fd < 10; fd++) rig.close(fd);
    for (let fd = 6000; fd < 6100; fd++) {
      rig.close(fd);
      rig.listener.closed();
    }
    rig.pass(10_000);
    assert.equal(rig.listener.served, count - 10);
    const open = count + 100 - rig.closed;
    assert.ok(open <= count - 5 && open >= count - 10, `${open} count as open`);
    for (let fd = 0; fd < 5; fd++) rig.close(fd);
    rig.pass(10_000);
    assert.equal(rig.closed, 110);
  });

  it('of one listener do not affect other listeners', () => {
    const rig = new Rig();
    const other = rig.listen();
    for (let fd = 7; fd < 1000; fd++) rig.open(fd, other);
    rig.open(1000);
    rig.end(1000);
    rig.pass(6);
    assert.equal(rig.looks, 1);
    rig.close(1000);
    rig.pass(200);
    assert.deepEqual([rig.closed, other.served, other.lingering], [1, 993, 0]);
  });

  it('take a small share of the time, however many are open', () => {
    const rig = new Rig();
    for (let fd = 0; fd < 100_000; fd++) rig.open(fd);
    for (let fd = 0; fd < 10; fd++) rig.end(fd, false);
    const before = rig.looks;
    rig.pass(100_000);
    assert.ok(rig.looks - before <= 0.021 * 100_000 * 1000, `${rig.looks - before} looks`);
    assert.ok(rig.longest < 3, `${rig.longest} ms at once`);
  });

  it('are closed with their listener', () => {
    const rig = new Rig();
    rig.open(7);
    rig.end(7);
    rig.lingering.forget(rig.listener);
    assert.equal(rig.closed, 1);
    rig.pass(1000);
    assert.deepEqual([rig.closed, rig.isIdle], [1, true]);
  });
});
