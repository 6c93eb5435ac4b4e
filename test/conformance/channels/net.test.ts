/** The contract of clients' channels on Node's sockets, in Node's own loop. */
import { NetClients } from '../../../src/transport/net/net-clients.ts';
import type { TransportRig } from './rig.ts';
import { describeChannels } from './suite.ts';

function netRig(): TransportRig {
  return {
    sides: [{ transport: new NetClients(null), tls: null }],
    close: () => {
      // The loop is Node's own.
    },
  };
}

describeChannels('Node’s sockets', netRig, false);
