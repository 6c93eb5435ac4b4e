/** The contract of clients' channels on Node's sockets, in Node's own loop and in a thread's that has another. */
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { NetClients } from '../../../src/transport/net/net-clients.ts';
import type { TransportRig } from './rig.ts';
import { describeChannels } from './suite.ts';

function netRig(): TransportRig {
  return {
    transport: new NetClients(null),
    close: () => {
      // The loop is Node's own.
    },
  };
}

function netRigInLoop(): TransportRig {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  return { transport: new NetClients(() => loop.yieldToNode()), close: () => loop.close() };
}

describeChannels('Node’s sockets', netRig, false);
describeChannels('Node’s sockets in our loop', netRigInLoop, unsupportedReason() ?? false);
