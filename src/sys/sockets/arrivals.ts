import { EPOLLET, EPOLLIN, EPOLLOUT, Epoll } from '../epoll.ts';
import { SystemCallError } from '../errno.ts';

const MAX_EVENTS = 256;

/**
 * Tells which of many sockets may have received bytes, in one call for all, even if other code has read the bytes:
 * arriving bytes wake the set (EPOLLIN), which then reports the socket because it is writable (EPOLLOUT).
 */
export class Arrivals {
  readonly #epoll = new Epoll(MAX_EVENTS);

  /** Starts to watch a socket. Returns false if the system refuses: the descriptor may be closed. */
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

  /** Returns the sockets that may have received bytes since the last call, and those that are watched since then. */
  take(): number[] {
    const fds: number[] = [];
    for (;;) {
      const count = this.#epoll.wait(0);
      for (let index = 0; index < count; index++) fds.push(this.#epoll.fd(index));
      if (count < MAX_EVENTS) return fds;
    }
  }

  /** Ends all watching. The object cannot be used afterwards. */
  close(): void {
    this.#epoll.close();
  }
}
