import { EPOLLIN, Epoll } from '../sys/epoll.ts';
import { SystemCallError } from '../sys/errno.ts';
import type { Sockets } from '../sys/sockets/sockets.ts';

/**
 * Max events per wait. A low number sends the first sockets' bytes before the last sockets are read. With 50
 * busy sessions, the 99th percentile of the latency is a quarter lower than without a limit, at the same CPU
 * use.
 */
const MAX_EVENTS = 20;
/** Tag of foreign descriptors. Our own tags count up from it and wrap around after the last. */
const FOREIGN = 0;
const MAX_TAG = 0x7fffffff;

/** A watched descriptor and the handlers of its events. */
export abstract class Watched {
  /** -1 before watching and after the close. */
  fd = -1;
  /** Events to wait for: a sum of the constants of `sys/epoll.ts`. */
  interest = 0;
  /** Distinguishes this watcher from earlier watchers of the same descriptor. */
  tag = 0;

  /** Handles events. @param events a sum of the constants of `sys/epoll.ts` */
  abstract ready(events: number): void;

  /** Handles an error thrown by {@link ready}. Must not throw, and must leave consistent state. */
  abstract fault(error: unknown): void;
}

/**
 * The watched descriptors of one thread. A closed descriptor stays open until {@link sweep}, so no new
 * connection can reuse its number while old events are pending.
 */
export class Poller {
  readonly #sockets: Sockets;
  readonly #epoll = new Epoll(MAX_EVENTS);
  /** Indexed by descriptor. */
  readonly #watched: (Watched | null)[] = [];
  readonly #closing: number[] = [];
  #lastTag = FOREIGN;

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  /** Starts watching a descriptor. The poller owns it from then on, and closes it if watching fails. */
  watch(watched: Watched, fd: number, interest: number): void {
    while (this.#watched.length <= fd) this.#watched.push(null);
    this.#lastTag = this.#lastTag === MAX_TAG ? FOREIGN + 1 : this.#lastTag + 1;
    try {
      this.#epoll.add(fd, interest, this.#lastTag);
    } catch (error) {
      this.#closing.push(fd);
      throw error;
    }
    watched.fd = fd;
    watched.interest = interest;
    watched.tag = this.#lastTag;
    this.#watched[fd] = watched;
  }

  /**
   * Does the same as {@link watch}, but returns the system's error instead of throwing it. Null means
   * success.
   */
  tryWatch(watched: Watched, fd: number, interest: number): SystemCallError | null {
    try {
      this.watch(watched, fd, interest);
      return null;
    } catch (error) {
      if (error instanceof SystemCallError) return error;
      throw error;
    }
  }

  /**
   * Watches a descriptor owned by others: {@link dispatch} reports when it is readable. The poller never
   * closes it.
   */
  watchForeign(fd: number): void {
    this.#epoll.add(fd, EPOLLIN, FOREIGN);
  }

  /** Changes the events to wait for. Does nothing if they are the same. */
  change(watched: Watched, interest: number): void {
    if (watched.interest === interest) return;
    this.#epoll.modify(watched.fd, interest, watched.tag);
    watched.interest = interest;
  }

  /** Moves a watched descriptor and its interest from one watcher to another. */
  adopt(from: Watched, to: Watched): void {
    this.#watched[from.fd] = to;
    to.fd = from.fd;
    to.interest = from.interest;
    to.tag = from.tag;
    from.fd = -1;
  }

  /** Stops watching. The next {@link sweep} closes the descriptor. */
  close(watched: Watched): void {
    const { fd } = watched;
    if (fd < 0) return;
    watched.fd = -1;
    this.#watched[fd] = null;
    this.#closing.push(fd);
  }

  /** Does the same as {@link close}, and sends the peer a reset. */
  reset(watched: Watched): void {
    if (watched.fd >= 0) this.#sockets.resetOnClose(watched.fd);
    this.close(watched);
  }

  /** Waits at most `timeoutMs` for events. Returns the number of events for {@link dispatch}. */
  wait(timeoutMs: number): number {
    return this.#epoll.wait(timeoutMs);
  }

  /**
   * Passes the events of the last wait to their watchers. A watcher that throws does not stop the others.
   *
   * @returns whether the descriptor of {@link watchForeign} is readable
   */
  dispatch(count: number): boolean {
    const epoll = this.#epoll;
    let foreign = false;
    for (let index = 0; index < count; index++) {
      const tag = epoll.tag(index);
      const watched = this.#watched[epoll.fd(index)];
      if (watched?.tag !== tag) {
        // Otherwise an earlier event closed it, or a child process holds a copy of the descriptor.
        if (tag === FOREIGN) foreign = true;
        continue;
      }
      try {
        watched.ready(epoll.events(index));
      } catch (error) {
        watched.fault(error);
      }
    }
    this.sweep();
    return foreign;
  }

  /** Closes the descriptors released by {@link close} and {@link reset}. */
  sweep(): void {
    if (this.#closing.length === 0) return;
    for (const fd of this.#closing) this.#sockets.close(fd);
    this.#closing.length = 0;
  }

  /** Closes all watched descriptors. */
  closeAll(): void {
    for (const watched of this.#watched) if (watched !== null) this.close(watched);
    this.sweep();
    this.#epoll.close();
  }
}
