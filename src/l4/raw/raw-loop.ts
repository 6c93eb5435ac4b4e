import { EventLoop } from '../../loop/event-loop.ts';
import { Pipe } from '../../sys/sockets/pipe.ts';
import { EndpointAddresses } from '../../upstream/dialling/endpoint-addresses.ts';
import { SpillPool } from './spill.ts';

/** The loop of a thread that carries tunnels. */
export class RawLoop extends EventLoop {
  readonly spills = new SpillPool();
  /** Carries bulk reads. Bytes that the kernel does not take become a spill. */
  readonly pipe = new Pipe(SpillPool.largest);
  readonly addresses = new EndpointAddresses();

  override close(): void {
    super.close();
    this.pipe.close();
  }
}
