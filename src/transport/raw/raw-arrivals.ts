import { LiveSet } from '../../core/collections/live-set.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import type { Watched } from '../../loop/poller.ts';
import { EPOLLIN } from '../../sys/epoll.ts';
import { ipOfSocket } from '../../wire/ip-address.ts';
import type { ArrivalOwner, EntryInspector, EntryTerms } from '../entry.ts';
import { FirstBytesInspector } from '../first-bytes-inspector.ts';
import { RawArrival } from './raw-arrival.ts';

/** Accepted connections in their entry stages. */
export class RawArrivals {
  readonly #loop: EventLoop;
  readonly #owner: ArrivalOwner<Watched>;
  readonly #createInspector: (terms: EntryTerms, peer: string) => EntryInspector;
  readonly #waiting = new LiveSet<RawArrival>();

  /** @param createInspector creates the inspector of a connection */
  constructor(
    loop: EventLoop,
    owner: ArrivalOwner<Watched>,
    createInspector: (terms: EntryTerms, peer: string) => EntryInspector = (terms, peer) =>
      new FirstBytesInspector(terms, peer),
  ) {
    this.#loop = loop;
    this.#owner = owner;
    this.#createInspector = createInspector;
  }

  /** Takes the last accepted connection through its entry stages. Owns the descriptor from then on. */
  take(fd: number, terms: EntryTerms): void {
    const { poller, sockets, wheel } = this.#loop;
    const peer = ipOfSocket(sockets.acceptedFrom());
    const arrival = new RawArrival(
      this.#loop,
      this.#owner,
      this.#waiting,
      this.#createInspector(terms, peer),
      peer,
    );
    const error = poller.tryWatch(arrival, fd, EPOLLIN);
    if (error === null) {
      this.#waiting.add(arrival);
      wheel.arm(arrival.deadline, terms.timeoutMs);
      arrival.start();
    } else {
      this.#owner.lost(error);
    }
  }

  /** Closes all connections in the entry stages. */
  closeAll(): void {
    for (const arrival of this.#waiting) arrival.drop();
  }
}
