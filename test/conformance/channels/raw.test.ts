/** The contract of clients' channels on system calls, and beside those of Node's sockets. */
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { ClientTransport } from '../../../src/transport/client-transport.ts';
import { NetClients } from '../../../src/transport/net/net-clients.ts';
import { RawClients } from '../../../src/transport/raw/raw-clients.ts';
import { RawHome } from '../../../src/transport/raw/raw-home.ts';
import type { TransportRig } from './rig.ts';
import { describeChannels, describePassage } from './suite.ts';

const skip = unsupportedReason() ?? false;

/** Makes a loop, and the transports that a test chooses from those on it. */
function rigOf(
  choose: (raw: ClientTransport, net: ClientTransport) => readonly ClientTransport[],
): TransportRig {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  return {
    transports: choose(new RawClients(new RawHome(loop)), new NetClients(() => loop.yieldToNode())),
    close: () => loop.close(),
  };
}

describeChannels('system calls', () => rigOf((raw) => [raw]), skip, true);
describeChannels('Node’s sockets in our loop', () => rigOf((_raw, net) => [net]), skip);
describePassage('from system calls to Node’s sockets', () => rigOf((raw, net) => [raw, net]), skip);
describePassage('from Node’s sockets to system calls', () => rigOf((raw, net) => [net, raw]), skip);
