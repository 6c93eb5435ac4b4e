import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import { stopListening } from '../../../../src/sys/sockets/listening-sockets.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { RawAcceptor } from '../../../../src/transport/raw/raw-acceptor.ts';
import { eventually } from '../../../support/deadline.ts';

describe('an acceptor on system calls', { skip: unsupportedReason() ?? false }, () => {
  it('stops without a failure when another thread stops its socket from listening', async () => {
    const loop = new EventLoop(new TimerWheel(performance.now()));
    const failures: string[] = [];
    const acceptor = new RawAcceptor(
      loop,
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      {
        accepted: (fd) => loop.sockets.close(fd),
        acceptFailed: (code) => failures.push(code) < 0,
        acceptFault: (error) => failures.push(String(error)),
      },
    );
    try {
      acceptor.listen();
      assert.equal(stopListening(acceptor.fd), true);
      await eventually(() => assert.equal(acceptor.listens, false));
      assert.deepEqual(failures, []);
    } finally {
      loop.close();
    }
  });
});
