import type { Socket } from 'node:net';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import { entryFactsOf, hasEntryStages } from '../../transport/entry.ts';
import { NetAcceptor } from '../../transport/net/net-acceptor.ts';
import { NetArrivals } from '../../transport/net/net-arrivals.ts';
import { AcceptingListener } from '../accepting-listener.ts';
import type { TunnelOwner } from '../tunnel.ts';
import { netTunnelMaker } from './net-tunnel-maker.ts';

/** A listener of the `net` engine: tunnels on `node:net`, for every platform of Node. */
export class NetListener extends AcceptingListener<Socket> implements AcceptorOwner<Socket> {
  protected readonly acceptor: NetAcceptor;
  protected readonly arrivals: NetArrivals;
  protected readonly tunnels = netTunnelMaker;

  /** @param yieldToNode see `asChannel` of `transport/net/net-channel.ts` */
  constructor(owner: TunnelOwner, wheel: TimerWheel, yieldToNode: () => void) {
    super(owner);
    this.arrivals = new NetArrivals(wheel, this, yieldToNode);
    this.acceptor = new NetAcceptor(owner.address, this);
  }

  accepted(client: Socket): void {
    const { owner } = this;
    if (!owner.arrived(descriptorOf(client))) this.tunnels.refuse(client);
    else if (hasEntryStages(owner.entry)) this.arrivals.take(client, owner.entry);
    else this.entered(client, entryFactsOf(client.remoteAddress ?? ''), performance.now());
  }
}
