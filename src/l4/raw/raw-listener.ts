import type { Watched } from '../../loop/poller.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import {
  entryFactsOf,
  hasEntryStages,
  type ArrivalOwner,
  type EntryFacts,
  type EntryRejection,
} from '../../transport/entry.ts';
import { RawAcceptor } from '../../transport/raw/raw-acceptor.ts';
import { RawArrivals } from '../../transport/raw/raw-arrivals.ts';
import { needsAddress, serve, UNKNOWN_CLIENT } from '../tunnel-maker.ts';
import type { TunnelListener, TunnelOwner } from '../tunnel.ts';
import { RawTunnelMaker } from './raw-tunnel-maker.ts';
import type { RawLoop } from './raw-tunnel.ts';

/** A listener of the `raw` engine: tunnels on system calls, in the thread's own epoll loop. Linux only. */
export class RawListener implements TunnelListener, AcceptorOwner<number>, ArrivalOwner<Watched> {
  readonly #owner: TunnelOwner;
  readonly #acceptor: RawAcceptor;
  readonly #arrivals: RawArrivals;
  readonly #tunnels: RawTunnelMaker;

  constructor(owner: TunnelOwner, loop: RawLoop) {
    this.#owner = owner;
    this.#acceptor = new RawAcceptor(loop, owner.address, this);
    this.#arrivals = new RawArrivals(loop, this);
    this.#tunnels = new RawTunnelMaker(loop);
  }

  listen(): Promise<void> {
    // An error that is thrown here rejects.
    return new Promise((resolve) => {
      this.#acceptor.listen();
      resolve();
    });
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  leave(from: number | null): void {
    this.#acceptor.leave(from);
  }

  stop(): void {
    this.#acceptor.stop();
  }

  close(): void {
    this.stop();
    this.#arrivals.closeAll();
  }

  accepted(fd: number): void {
    const owner = this.#owner;
    if (!owner.arrived(fd)) {
      this.#tunnels.refuse(fd);
    } else if (hasEntryStages(owner.entry)) {
      this.#arrivals.take(fd, owner.entry);
    } else {
      const choice = owner.choose(UNKNOWN_CLIENT, performance.now());
      const isNamed = typeof choice !== 'string' && needsAddress(choice);
      serve(
        this.#tunnels,
        fd,
        choice,
        isNamed ? entryFactsOf(this.#acceptor.acceptedFrom()) : UNKNOWN_CLIENT,
      );
    }
  }

  entered(connection: Watched, facts: EntryFacts, since: number): void {
    serve(this.#tunnels, connection, this.#owner.choose(facts, since), facts);
  }

  rejected(rejection: EntryRejection): void {
    this.#owner.rejected(rejection);
  }

  lost(fault: unknown): void {
    this.#owner.lost(fault);
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.#owner.acceptFault(error);
  }
}
