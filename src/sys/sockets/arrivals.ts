import { EPOLLET, EPOLLIN, EPOLLOUT, Epoll } from '../epoll.ts';
import { SystemCallError } from '../errno.ts';

const MAX_EVENTS = 256;

/**
 * Finds the sockets that may have received bytes, in one call for all, even if other code already read the
 * bytes. Arriving bytes wake the set (EPOLLIN), which then reports the socket because it is writable
 * (EPOLLOUT).
 */
export class Arrivals {
  readonly #epoll = new Epoll(MAX_EVENTS);

  /** Watches a socket. Returns false if the kernel refuses: the descriptor may be closed. */
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

  /** Returns the sockets that may have received bytes, or were added, since the last call. */
  take(): number[] {
    const fds: number[] = [];
    for (;;) {
      const count = this.#epoll.wait(0);
      for (let index = 0; index < count; index++) fds.push(this.#epoll.fd(index));
      if (count < MAX_EVENTS) return fds;
    }
  }

  /** Ends all watching. The object must not be used afterwards. */
  close(): void {
    this.#epoll.close();
  }
}
