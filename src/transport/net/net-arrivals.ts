import type { Socket } from 'node:net';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ArrivalOwner, EntryTerms } from '../entry.ts';
import { NetArrival, type NetArrivalContext } from './net-arrival.ts';

/** Accepted Node sockets in their entry stages. */
export class NetArrivals {
  readonly #context: NetArrivalContext;

  /** @param yieldToNode see `asChannel` */
  constructor(wheel: TimerWheel, owner: ArrivalOwner<Socket>, yieldToNode: (() => void) | null) {
    this.#context = { wheel, owner, yieldToNode, waiting: new LiveSet<NetArrival>() };
  }

  /**
   * Takes a connection through its entry stages. Bytes of the client are put back into the socket, which is
   * paused when it enters.
   *
   * @param socket a paused, unread socket
   */
  take(socket: Socket, terms: EntryTerms): void {
    new NetArrival(this.#context, socket, terms).start(terms.timeoutMs);
  }

  /** Closes all connections in the entry stages. */
  closeAll(): void {
    for (const arrival of this.#context.waiting) arrival.drop();
  }
}
