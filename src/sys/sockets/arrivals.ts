import { EPOLLET, EPOLLIN, EPOLLOUT, Epoll } from '../epoll.ts';
import { SystemCallError } from '../errno.ts';

const MAX_EVENTS = 256;

/**
 * Tells which of many sockets may have received bytes, in one call for all of them. Also after somebody else has read
 * them: arriving bytes wake the set (EPOLLIN), which then reports the socket because it is writable (EPOLLOUT).
 */
export class Arrivals {
  readonly #epoll = new Epoll(MAX_EVENTS);

  /** Begins to watch a socket. Returns false if the system does not let it: the descriptor may be closed. */
  watch(fd: number): boolean {
    try {
      this.#epoll.add(fd, EPOLLIN | EPOLLOUT | EPOLLET, 0);
      return true;
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  }

  /** Stops watching a socket, if it is watched. */
  unwatch(fd: number): void {
    this.#epoll.remove(fd);
  }

  /** Returns the sockets that may have received something since the last call, and those that are watched since then. */
  take(): number[] {
    const fds: number[] = [];
    for (;;) {
      const count = this.#epoll.wait(0);
      for (let index = 0; index < count; index++) fds.push(this.#epoll.fd(index));
      if (count < MAX_EVENTS) return fds;
    }
  }

  /** Watches nothing any more. It cannot be used again. */
  close(): void {
    this.#epoll.close();
  }
}
