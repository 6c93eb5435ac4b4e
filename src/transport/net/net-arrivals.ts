import type { Socket } from 'node:net';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ArrivalOwner, EntryTerms } from '../entry.ts';
import { NetArrival, type NetArrivalHome } from './net-arrival.ts';

/** Accepted sockets of Node whose first bytes decide where they go. */
export class NetArrivals {
  readonly #home: NetArrivalHome;

  /** @param touched as for `asChannel` */
  constructor(wheel: TimerWheel, owner: ArrivalOwner<Socket>, touched: (() => void) | null) {
    this.#home = { wheel, owner, touched, waiting: new LiveSet<NetArrival>() };
  }

  /**
   * Waits for the first bytes of a connection, unless it can enter or fail without them. What is read and belongs to the
   * client is put back into the socket, which is paused when it enters.
   *
   * @param socket paused, of which nothing has been read
   */
  take(socket: Socket, terms: EntryTerms): void {
    new NetArrival(this.#home, socket, terms).start(terms.timeoutMs);
  }

  /** Closes the connections that wait. */
  closeAll(): void {
    for (const arrival of this.#home.waiting) arrival.drop();
  }
}
