import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Poller, Watched } from '../../../src/loop/poller.ts';
import { EPOLLIN, EPOLLOUT } from '../../../src/sys/epoll.ts';
import { PinnedBuffer } from '../../../src/sys/memory/pinned-buffer.ts';
import { SocketAddress } from '../../../src/sys/sockets/socket-address.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { withPair } from '../sys/pairs.ts';

class Probe extends Watched {
  readonly events: number[] = [];
  readonly faults: unknown[] = [];
  onReady: () => void = () => undefined;

  override ready(events: number): void {
    this.events.push(events);
    this.onReady();
  }

  override fault(error: unknown): void {
    this.faults.push(error);
  }
}

function turn(poller: Poller, timeoutMs = 1000): boolean {
  return poller.dispatch(poller.wait(timeoutMs));
}

describe('the poller', { skip: unsupportedReason() ?? false }, () => {
  it('reuses no descriptor number before all current events are handled', async () => {
    await withPair('IPv4', ({ client, server }, sockets, _close, give) => {
      const poller = new Poller(sockets);
      const first = new Probe();
      const second = new Probe();
      const target = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: 1 });
      const opened: number[] = [];
      // Whichever of the two comes first closes both.
      first.onReady = second.onReady = () => {
        const numbers = [first.fd, second.fd];
        poller.close(first);
        poller.close(second);
        const fresh = sockets.open(target);
        assert.ok(!numbers.includes(fresh));
        opened.push(fresh);
      };
      const numbers = [give(client), give(server)];
      poller.watch(first, numbers[0]!, EPOLLOUT);
      poller.watch(second, numbers[1]!, EPOLLOUT);
      turn(poller);
      assert.equal(first.events.length + second.events.length, 1);
      assert.deepEqual([first.fd, second.fd], [-1, -1]);
      const next = sockets.open(target);
      assert.ok(numbers.includes(next), 'closed at the end of the batch');
      for (const fd of [...opened, next]) sockets.close(fd);
      poller.closeAll();
    });
  });

  it('moves a descriptor and its events to another watcher', async () => {
    await withPair('IPv4', ({ client }, sockets, _close, give) => {
      const poller = new Poller(sockets);
      const first = new Probe();
      const second = new Probe();
      const fd = give(client);
      poller.watch(first, fd, EPOLLOUT);
      poller.adopt(first, second);
      assert.deepEqual([first.fd, second.fd], [-1, fd]);
      turn(poller);
      assert.deepEqual([first.events, second.events], [[], [EPOLLOUT]]);
      // The first watcher has nothing left to close.
      poller.close(first);
      poller.change(second, EPOLLIN);
      turn(poller, 0);
      assert.equal(second.events.length, 1);
      poller.closeAll();
      assert.equal(second.fd, -1);
    });
  });

  it('isolates watchers from one that throws', async () => {
    await withPair('IPv4', ({ client, server }, sockets, _close, give) => {
      const poller = new Poller(sockets);
      const probes = [new Probe(), new Probe()];
      for (const probe of probes) {
        probe.onReady = () => {
          throw new Error('broken');
        };
      }
      poller.watch(probes[0]!, give(client), EPOLLOUT);
      poller.watch(probes[1]!, give(server), EPOLLOUT);
      turn(poller);
      for (const { events, faults } of probes) {
        assert.equal(events.length, 1);
        assert.match(String(faults[0]), /broken/);
      }
      poller.closeAll();
    });
  });

  it('changes the watched events', async () => {
    await withPair('IPv4', ({ client, server }, sockets, _close, give) => {
      const poller = new Poller(sockets);
      const probe = new Probe();
      poller.watch(probe, give(server), EPOLLIN);
      const buffer = new PinnedBuffer(1);
      buffer.send(client, 0, 1);
      turn(poller);
      assert.deepEqual(probe.events, [EPOLLIN]);
      poller.change(probe, EPOLLOUT);
      turn(poller);
      assert.deepEqual(probe.events, [EPOLLIN, EPOLLOUT]);
      poller.change(probe, 0);
      turn(poller, 0);
      assert.equal(probe.events.length, 2);
      poller.closeAll();
    });
  });

  it('reports events of a foreign descriptor, and never closes it', async () => {
    await withPair('IPv4', ({ client, server }, sockets) => {
      const poller = new Poller(sockets);
      poller.watchForeign(server);
      assert.equal(turn(poller, 0), false);
      const buffer = new PinnedBuffer(1);
      buffer.send(client, 0, 1);
      assert.equal(turn(poller), true);
      poller.closeAll();
      assert.equal(buffer.recv(server, 0, 1), 1);
    });
  });

  it('closes a descriptor that it cannot watch', async () => {
    await withPair('IPv4', ({ client }, sockets, _close, give) => {
      const poller = new Poller(sockets);
      const fd = give(client);
      poller.watch(new Probe(), fd, EPOLLIN);
      const probe = new Probe();
      assert.throws(() => poller.watch(probe, fd, EPOLLIN), /EEXIST/);
      assert.equal(probe.fd, -1);
      poller.sweep();
      const target = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: 1 });
      const next = sockets.open(target);
      assert.equal(next, fd);
      sockets.close(next);
    });
  });
});
