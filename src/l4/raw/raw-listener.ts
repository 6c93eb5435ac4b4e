import type { Watched } from '../../loop/poller.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import { entryFactsOf, hasEntryStages } from '../../transport/entry.ts';
import { RawAcceptor } from '../../transport/raw/raw-acceptor.ts';
import { RawArrivals } from '../../transport/raw/raw-arrivals.ts';
import { AcceptingListener } from '../accepting-listener.ts';
import { needsAddress, serve, UNKNOWN_CLIENT } from '../tunnel-maker.ts';
import type { TunnelOwner } from '../tunnel.ts';
import { RawTunnelMaker } from './raw-tunnel-maker.ts';
import type { RawLoop } from './raw-tunnel.ts';

/** A listener of the `raw` engine: tunnels on system calls, in the thread's own epoll loop. Linux only. */
export class RawListener extends AcceptingListener<Watched> implements AcceptorOwner<number> {
  protected readonly acceptor: RawAcceptor;
  protected readonly arrivals: RawArrivals;
  protected readonly tunnels: RawTunnelMaker;

  constructor(owner: TunnelOwner, loop: RawLoop) {
    super(owner);
    this.acceptor = new RawAcceptor(loop, owner.address, this);
    this.arrivals = new RawArrivals(loop, this);
    this.tunnels = new RawTunnelMaker(loop);
  }

  accepted(fd: number): void {
    const { owner } = this;
    if (!owner.arrived(fd)) {
      this.tunnels.refuse(fd);
    } else if (hasEntryStages(owner.entry)) {
      this.arrivals.take(fd, owner.entry);
    } else {
      const choice = owner.choose(UNKNOWN_CLIENT, performance.now());
      const isNamed = typeof choice !== 'string' && needsAddress(choice);
      const facts = isNamed ? entryFactsOf(this.acceptor.acceptedFrom()) : UNKNOWN_CLIENT;
      serve(this.tunnels, fd, choice, facts);
    }
  }
}
