import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { UpstreamOwner } from '../../../../src/l7/contract/upstream-socket.ts';
import { RawDialler } from '../../../../src/l7/upstream/raw-upstream.ts';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import { SystemCallError } from '../../../../src/sys/errno.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import type { Cluster } from '../../../../src/upstream/cluster.ts';
import { connectFailureOf } from '../../../../src/upstream/dialling/dial.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { eventually } from '../../../support/deadline.ts';

const { EINPROGRESS, EMFILE, ECONNREFUSED, ENOMEM } = constants.errno;
const CLUSTER = { tls: null, config: {} } as unknown as Cluster;

/** Dials an endpoint of two addresses on a loop that is changed, and returns what its owner is told. */
async function failureOn(change: (loop: EventLoop) => void): Promise<Error> {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  try {
    change(loop);
    const addresses = [1, 2].map((port) => ({ kind: 'tcp', host: '127.0.0.1', port }));
    const endpoint = { addresses, label: 'endpoint', prefer: () => undefined } as unknown as Endpoint;
    let failure: Error | null = null;
    const owner: UpstreamOwner = {
      upstreamConnected: () => undefined,
      channelData: () => undefined,
      channelEnded: () => undefined,
      channelClosed: (error) => (failure = error),
    };
    new RawDialler(loop).open(CLUSTER, endpoint, owner, null);
    return await eventually(() => {
      if (failure === null) throw new Error('no failure yet');
      return failure;
    });
  } finally {
    loop.close();
  }
}

describe('a dial by system calls', { skip: unsupportedReason() ?? false }, () => {
  it('fails with a shortage if no descriptor is left', async () => {
    const failure = await failureOn(({ sockets }) =>
      Object.defineProperty(sockets, 'open', { value: () => -EMFILE }),
    );
    assert.equal(connectFailureOf(failure), 'own_shortage');
  });

  it('fails with a shortage even if another address has refused', async () => {
    for (const order of [
      [EMFILE, ECONNREFUSED],
      [ECONNREFUSED, EMFILE],
    ]) {
      const failure = await failureOn(({ sockets }) => {
        const answers = [...order];
        Object.defineProperty(sockets, 'connect', { value: () => -answers.shift()! });
      });
      assert.equal(connectFailureOf(failure), 'own_shortage');
    }
  });

  it('fails with a shortage if the connection cannot be watched, and the thread survives', async () => {
    const failure = await failureOn(({ poller, sockets }) => {
      Object.defineProperty(sockets, 'connect', { value: () => -EINPROGRESS });
      Object.defineProperty(poller, 'tryWatch', {
        value: (_watched: unknown, fd: number) => {
          sockets.close(fd);
          return new SystemCallError('epoll_ctl', ENOMEM);
        },
      });
    });
    assert.equal(connectFailureOf(failure), 'own_shortage');
  });
});
