import { networkOf } from '../../wire/ip-address.ts';

/** Max client networks that are remembered. */
const MAX_CLIENTS = 256;
/** Times that successes are noted in a window. */
export const NOTES_IN_WINDOW = 10;

/** What has gone well since the start, with an endpoint itself and with the others of its cluster. */
interface Balance {
  readonly own: number;
  readonly others: number;
}

/** The failures of one kind that an endpoint has had lately, by client, and what went well meanwhile. */
export class FailureWindow {
  readonly #windowMs: number;
  /** When each network failed last; the longest ago comes first. */
  readonly #clients = new Map<string, number>();
  /** The oldest first, of which one may be older than the window. */
  readonly #notes: (Balance & { readonly at: number })[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param client an IP address, or an empty string */
  add(client: string, now: number): void {
    this.#forget(now);
    const network = networkOf(client);
    // Behind all that failed before.
    this.#clients.delete(network);
    if (this.#clients.size < MAX_CLIENTS) this.#clients.set(network, now);
  }

  /** Client networks that have met failures within the window; each counts once, however often it fails. */
  clients(now: number): number {
    this.#forget(now);
    return this.#clients.size;
  }

  /** Whether it is time to note the successes again. */
  isDue(now: number): boolean {
    const last = this.#notes.at(-1);
    return last === undefined || now - last.at >= this.#windowMs / NOTES_IN_WINDOW;
  }

  /**
   * Notes the successes.
   *
   * @returns those within the window, or a little longer; null if the notes do not go back that far
   */
  note(balance: Balance, now: number): Balance | null {
    this.#notes.push({ ...balance, at: now });
    this.#forget(now);
    const first = this.#notes[0]!;
    if (now - first.at < this.#windowMs) return null;
    return { own: balance.own - first.own, others: balance.others - first.others };
  }

  clear(): void {
    this.#clients.clear();
    this.#notes.length = 0;
  }

  #forget(now: number): void {
    for (const [network, at] of this.#clients) {
      if (now - at < this.#windowMs) break;
      this.#clients.delete(network);
    }
    while (this.#notes.length > 1 && now - this.#notes[1]!.at >= this.#windowMs) this.#notes.shift();
  }
}
