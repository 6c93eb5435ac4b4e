/** The contract of clients' channels on Node's sockets, in Node's own loop, with TLS and without. */
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import type { ClientTransport } from '../../../src/transport/client-transport.ts';
import { NetClients } from '../../../src/transport/net/net-clients.ts';
import type { Side, TransportRig } from './rig.ts';
import { plain, secure } from './sides.ts';
import { describeChannels } from './suite.ts';

function netRig(choose: (transport: ClientTransport) => Side): TransportRig {
  return {
    sides: [choose(new NetClients(new TimerWheel(performance.now()), null))],
    close: () => {
      // The loop is Node's own.
    },
  };
}

describeChannels('Node’s sockets', () => netRig(plain), false);
describeChannels('Node’s sockets, with TLS', () => netRig(secure), false);
