import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  Epoll,
  epollLayout,
} from '../../../src/sys/epoll.ts';
import { PinnedBuffer } from '../../../src/sys/memory/pinned-buffer.ts';
import { nodeLoopDescriptor } from '../../../src/sys/node/node-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { withPair } from './pairs.ts';

const skip = unsupportedReason() ?? false;
const WAIT_MS = 5000;

/** Waits, and returns the descriptor, the tag and the flags of each event. */
function take(epoll: Epoll, timeoutMs: number): [number, number, number][] {
  return Array.from({ length: epoll.wait(timeoutMs) }, (_, index) => [
    epoll.fd(index),
    epoll.tag(index),
    epoll.events(index),
  ]);
}

describe('epoll', { skip }, () => {
  it('reports readiness with its tag for as long as it lasts', async () => {
    await withPair('IPv4', ({ client, server }) => {
      const epoll = new Epoll(8);
      const buffer = new PinnedBuffer(8);
      epoll.add(server, EPOLLIN, 0x7fffffff);
      assert.deepEqual(take(epoll, 0), []);
      buffer.send(client, 0, 8);
      assert.deepEqual(take(epoll, WAIT_MS), [[server, 0x7fffffff, EPOLLIN]]);
      assert.deepEqual(take(epoll, WAIT_MS), [[server, 0x7fffffff, EPOLLIN]]);
      epoll.modify(server, EPOLLIN | EPOLLOUT, 5);
      assert.deepEqual(take(epoll, WAIT_MS), [[server, 5, EPOLLIN | EPOLLOUT]]);
      buffer.recv(server, 0, 8);
      assert.deepEqual(take(epoll, WAIT_MS), [[server, 5, EPOLLOUT]]);
      epoll.close();
    });
  });

  it('returns at most the max number of events at once, and the others later', async () => {
    await withPair('IPv4', ({ client, server }) => {
      const epoll = new Epoll(1);
      epoll.add(server, EPOLLOUT, 1);
      epoll.add(client, EPOLLOUT, 2);
      const seen = new Set([...take(epoll, WAIT_MS), ...take(epoll, WAIT_MS)].map(([fd]) => fd));
      assert.deepEqual(seen, new Set([client, server]));
      epoll.close();
    });
  });

  it('reports a broken connection once if no other event is watched', async () => {
    await withPair('IPv4', ({ client, server }, sockets, close) => {
      const epoll = new Epoll(8);
      const buffer = new PinnedBuffer(1);
      epoll.add(server, EPOLLET, 1);
      buffer.send(client, 0, 1);
      assert.deepEqual(take(epoll, 20), []);
      sockets.resetOnClose(client);
      close(client);
      const [[fd, , events] = [-1, 0, 0], ...others] = take(epoll, WAIT_MS);
      assert.equal(fd, server);
      assert.equal(events & (EPOLLERR | EPOLLHUP), EPOLLERR | EPOLLHUP);
      assert.deepEqual(others, []);
      assert.deepEqual(take(epoll, 0), []);
      epoll.close();
    });
  });

  it("reports changes, and the peer's FIN despite unread bytes", async () => {
    await withPair('IPv4', ({ client, server }, sockets) => {
      const epoll = new Epoll(8);
      const buffer = new PinnedBuffer(1);
      epoll.add(server, EPOLLIN | EPOLLRDHUP | EPOLLET, 1);
      for (let sent = 0; sent < 2; sent++) {
        buffer.send(client, 0, 1);
        assert.deepEqual(take(epoll, WAIT_MS), [[server, 1, EPOLLIN]]);
        assert.deepEqual(take(epoll, 0), []);
      }
      sockets.finish(client);
      assert.deepEqual(take(epoll, WAIT_MS), [[server, 1, EPOLLIN | EPOLLRDHUP]]);
      assert.deepEqual(take(epoll, 0), []);
      epoll.close();
    });
  });

  it('forgets a descriptor that is closed', async () => {
    await withPair('IPv4', ({ client, server }, _sockets, close) => {
      const epoll = new Epoll(8);
      epoll.add(server, EPOLLOUT, 1);
      close(server);
      assert.deepEqual(take(epoll, 0), []);
      assert.throws(
        () => epoll.modify(server, EPOLLIN, 1),
        /^SystemCallError: epoll_ctl (?:EBADF|ENOENT) descriptor \d+$/,
      );
      epoll.add(client, EPOLLIN, 1);
      assert.throws(() => epoll.add(client, EPOLLIN, 1), /epoll_ctl EEXIST/);
      epoll.close();
    });
  });

  it('waits no longer than its timeout', () => {
    const epoll = new Epoll(1);
    const start = performance.now();
    assert.equal(epoll.wait(30), 0);
    const waited = performance.now() - start;
    assert.ok(waited >= 29, `${waited} ms`);
    epoll.close();
  });

  it('cannot be used when it has been closed', () => {
    const epoll = new Epoll(1);
    epoll.close();
    epoll.close();
    assert.throws(() => epoll.wait(0), /is not an open descriptor/);
    assert.throws(() => epoll.add(0, EPOLLIN, 1), /is not an open descriptor/);
  });

  it('refuses a closed descriptor', () => {
    const epoll = new Epoll(1);
    for (const fd of [-1, NaN, 0.5, 2 ** 31]) {
      assert.throws(() => epoll.add(fd, EPOLLIN, 1), /is not an open descriptor/);
      assert.throws(() => epoll.modify(fd, EPOLLIN, 1), /is not an open descriptor/);
    }
    epoll.close();
  });

  it("wakes up for work of Node's loop until Node has done it", async () => {
    const epoll = new Epoll(1);
    const loop = nodeLoopDescriptor();
    epoll.add(loop, EPOLLIN, 0);
    const { port1, port2 } = new MessageChannel();
    const received = new Promise((resolve) => port1.once('message', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    while (epoll.wait(0) > 0) await new Promise((resolve) => setImmediate(resolve));
    port2.postMessage('wake');
    assert.deepEqual(take(epoll, WAIT_MS), [[loop, 0, EPOLLIN]]);
    assert.equal(await received, 'wake');
    port1.close();
    epoll.close();
  });
});

it('the layout of epoll_event is packed to 12 bytes on x86-64, and has 16 bytes elsewhere', () => {
  assert.deepEqual(epollLayout('x64'), { stride: 3, data: 1 });
  assert.deepEqual(epollLayout('arm64'), { stride: 4, data: 2 });
});
