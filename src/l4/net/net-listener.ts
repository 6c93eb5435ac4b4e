import type { Socket } from 'node:net';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import {
  entryFactsOf,
  hasEntryStages,
  type ArrivalOwner,
  type EntryFacts,
  type EntryRejection,
} from '../../transport/entry.ts';
import { NetAcceptor } from '../../transport/net/net-acceptor.ts';
import { NetArrivals } from '../../transport/net/net-arrivals.ts';
import { serve } from '../tunnel-maker.ts';
import type { TunnelListener, TunnelOwner } from '../tunnel.ts';
import { netTunnelMaker } from './net-tunnel-maker.ts';

/** A listener of the `net` engine: tunnels on `node:net`, for every platform that Node runs on. */
export class NetListener implements TunnelListener, AcceptorOwner<Socket>, ArrivalOwner<Socket> {
  readonly #owner: TunnelOwner;
  readonly #acceptor: NetAcceptor;
  readonly #arrivals: NetArrivals;

  /** @param touched as for `asChannel` of `transport/net/net-channel.ts` */
  constructor(owner: TunnelOwner, wheel: TimerWheel, touched: () => void) {
    this.#owner = owner;
    this.#arrivals = new NetArrivals(wheel, this, touched);
    this.#acceptor = new NetAcceptor(owner.address, this);
  }

  listen(): Promise<void> {
    return this.#acceptor.listen();
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

  accepted(client: Socket): void {
    const owner = this.#owner;
    if (!owner.arrived(descriptorOf(client))) netTunnelMaker.refuse(client);
    else if (hasEntryStages(owner.entry)) this.#arrivals.take(client, owner.entry);
    else this.entered(client, entryFactsOf(client.remoteAddress ?? ''), performance.now());
  }

  entered(client: Socket, facts: EntryFacts, since: number): void {
    serve(netTunnelMaker, client, this.#owner.choose(facts, since), facts);
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
