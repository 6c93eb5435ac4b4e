import { AcceptedSockets } from '../../../sys/sockets/accepted-sockets.ts';
import type { OpenConnections } from './open-connections.ts';

/** The client sockets of one thread, by the descriptors that uWS got. */
export class ClientSockets extends AcceptedSockets {
  /** SO_COOKIE of the last connection added with each descriptor, 0 for none. */
  readonly #cookies: number[] = [];
  readonly #listeners: (OpenConnections | null)[] = [];

  /** Adds a connection that was just accepted. */
  add(fd: number, listener: OpenConnections): void {
    while (this.#cookies.length <= fd) {
      this.#cookies.push(0);
      this.#listeners.push(null);
    }
    this.#cookies[fd] = this.cookie(fd);
    this.#listeners[fd] = listener;
  }

  /** Removes a descriptor that was closed. */
  forget(fd: number): void {
    this.#cookies[fd] = 0;
    this.#listeners[fd] = null;
  }

  /** Returns the listener of the last connection added with a descriptor, open or not. Null for none. */
  listenerOf(fd: number): OpenConnections | null {
    return this.#listeners[fd] ?? null;
  }

  /** Whether a descriptor still is the connection added with it: other code may have reused its number. */
  includes(fd: number): boolean {
    const cookie = this.#cookies[fd] ?? 0;
    return cookie !== 0 && this.cookie(fd) === cookie;
  }

  /** Returns the descriptors of open connections, except those that the caller knows. */
  find(isKnown: (fd: number) => boolean): number[] {
    const found: number[] = [];
    for (let fd = 0; fd < this.#cookies.length; fd++) if (!isKnown(fd) && this.includes(fd)) found.push(fd);
    return found;
  }

  /** Returns a number greater than every descriptor. */
  tableSize(): number {
    return this.#cookies.length;
  }
}
