import { EventLoop } from '../../loop/event-loop.ts';
import { EndpointAddresses } from '../../upstream/endpoint-addresses.ts';
import { SpillPool } from './spill.ts';

/** The loop of a thread that carries tunnels. */
export class RawLoop extends EventLoop {
  readonly spills = new SpillPool();
  readonly addresses = new EndpointAddresses();
}
