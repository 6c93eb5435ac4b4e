import { networkOf } from '../../wire/ip-address.ts';

/** Max client networks that are remembered. */
const MAX_CLIENTS = 256;
/** Notes of successes in a window. */
export const NOTES_IN_WINDOW = 10;

/** Successes since the start, of an endpoint and of the others of its cluster. */
interface Balance {
  readonly own: number;
  readonly others: number;
}

/** The recent failures of one kind at an endpoint, by client, and the successes of the same time. */
export class FailureWindow {
  readonly #windowMs: number;
  /** The time of each network's last failure, in that order. */
  readonly #failedAt = new Map<string, number>();
  /** The oldest first; at most one is older than the window. */
  readonly #notes: (Balance & { readonly at: number })[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param client an IP address, or an empty string */
  add(client: string, now: number): void {
    this.#forget(now);
    const network = networkOf(client);
    // Moves the network to the end of the order.
    this.#failedAt.delete(network);
    if (this.#failedAt.size < MAX_CLIENTS) this.#failedAt.set(network, now);
  }

  /** Counts the client networks with failures within the window, each once. */
  clients(now: number): number {
    this.#forget(now);
    return this.#failedAt.size;
  }

  /** Tells whether it is time to note the successes again. */
  isDue(now: number): boolean {
    const last = this.#notes.at(-1);
    return last === undefined || now - last.at >= this.#windowMs / NOTES_IN_WINDOW;
  }

  /**
   * Notes the successes.
   *
   * @returns the successes within the window, or a little longer; null if the notes do not go back that far
   */
  note(balance: Balance, now: number): Balance | null {
    this.#notes.push({ ...balance, at: now });
    this.#forget(now);
    const first = this.#notes[0]!;
    if (now - first.at < this.#windowMs) return null;
    return { own: balance.own - first.own, others: balance.others - first.others };
  }

  clear(): void {
    this.#failedAt.clear();
    this.#notes.length = 0;
  }

  #forget(now: number): void {
    for (const [network, at] of this.#failedAt) {
      if (now - at < this.#windowMs) break;
      this.#failedAt.delete(network);
    }
    while (this.#notes.length > 1 && now - this.#notes[1]!.at >= this.#windowMs) this.#notes.shift();
  }
}
