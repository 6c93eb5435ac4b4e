/** The contract of clients' channels on system calls, with TLS and without, and beside those of Node's sockets. */
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { ClientTransport } from '../../../src/transport/client-transport.ts';
import { NetClients } from '../../../src/transport/net/net-clients.ts';
import { RawClients } from '../../../src/transport/raw/raw-clients.ts';
import { RawContext } from '../../../src/transport/raw/raw-context.ts';
import type { Side, TransportRig } from './rig.ts';
import { plain, secure } from './sides.ts';
import { describeChannels, describePassage } from './suite.ts';

const skip = unsupportedReason() ?? false;
/** Makes a loop, and the sides that a test chooses from the transports on it. */
function rigOf(choose: (raw: ClientTransport, net: ClientTransport) => readonly Side[]): TransportRig {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  return {
    sides: choose(new RawClients(new RawContext(loop)), new NetClients(loop.wheel, () => loop.yieldToNode())),
    close: () => loop.close(),
  };
}

describeChannels('system calls', () => rigOf((raw) => [plain(raw)]), skip, true);
describeChannels('system calls, with TLS', () => rigOf((raw) => [secure(raw)]), skip, true);
describeChannels('Node’s sockets in our loop', () => rigOf((_raw, net) => [plain(net)]), skip);
describeChannels('Node’s sockets in our loop, with TLS', () => rigOf((_raw, net) => [secure(net)]), skip);
describePassage(
  'from system calls to Node’s sockets',
  () => rigOf((raw, net) => [plain(raw), plain(net)]),
  skip,
);
describePassage(
  'from Node’s sockets to system calls',
  () => rigOf((raw, net) => [plain(net), plain(raw)]),
  skip,
);
describePassage('from TLS to none', () => rigOf((raw) => [secure(raw), plain(raw)]), skip);
describePassage('from none to TLS', () => rigOf((raw) => [plain(raw), secure(raw)]), skip);
describePassage(
  'from TLS on system calls to TLS on Node’s sockets',
  () => rigOf((raw, net) => [secure(raw), secure(net)]),
  skip,
);
