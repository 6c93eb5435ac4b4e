/** The contract of clients' channels on system calls. */
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { RawClients } from '../../../src/transport/raw/raw-clients.ts';
import { RawHome } from '../../../src/transport/raw/raw-home.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { TransportRig } from './rig.ts';
import { describeChannels } from './suite.ts';

function rawRig(): TransportRig {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  return { transport: new RawClients(new RawHome(loop)), close: () => loop.close() };
}

describeChannels('system calls', rawRig, unsupportedReason() ?? false);
