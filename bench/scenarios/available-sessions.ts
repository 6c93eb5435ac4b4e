import type { Session } from '../driver/sessions/session.ts';

const FIRST_CAPACITY = 16;

/** Sessions with room for another message, each listed once. The longest waiting session comes first. */
export class AvailableSessions {
  #ring = new Array<Session | null>(FIRST_CAPACITY).fill(null);
  #head = 0;
  #length = 0;

  /** Appends a session, unless it is listed already. */
  add(session: Session): void {
    if (session.listed) return;
    session.listed = true;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = session;
    this.#length++;
  }

  /** Removes and returns the first session, or null if none is available. */
  take(): Session | null {
    if (this.#length === 0) return null;
    const session = this.#ring[this.#head]!;
    this.#ring[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    session.listed = false;
    return session;
  }

  #grow(): void {
    const ring = new Array<Session | null>(this.#ring.length * 2).fill(null);
    for (let index = 0; index < this.#length; index++) {
      ring[index] = this.#ring[(this.#head + index) & (this.#ring.length - 1)]!;
    }
    this.#ring = ring;
    this.#head = 0;
  }
}
