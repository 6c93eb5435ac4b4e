import { networkOf } from '../../wire/ip-address.ts';

/** Max client networks to remember. */
const MAX_CLIENTS = 256;
/** Number of samples of successes per window. */
export const SAMPLES_PER_WINDOW = 10;

/** Successes since the start, of an endpoint and of the other endpoints of its cluster. */
interface SuccessCounts {
  readonly own: number;
  readonly others: number;
}

/** Recent failures of one kind at an endpoint, by client, and the successes in the same window. */
export class FailureWindow {
  readonly #windowMs: number;
  /** Time of each network's last failure, oldest first. */
  readonly #failedAt = new Map<string, number>();
  /** Samples of successes, oldest first. At most one is older than the window. */
  readonly #samples: (SuccessCounts & { readonly at: number })[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param client an IP address, or an empty string */
  add(client: string, now: number): void {
    this.#forget(now);
    const network = networkOf(client);
    // Move the network to the end of the order.
    this.#failedAt.delete(network);
    if (this.#failedAt.size < MAX_CLIENTS) this.#failedAt.set(network, now);
  }

  /** Counts the distinct client networks with failures in the window. */
  clients(now: number): number {
    this.#forget(now);
    return this.#failedAt.size;
  }

  /** Whether the next sample of successes is due. */
  isSampleDue(now: number): boolean {
    const last = this.#samples.at(-1);
    return last === undefined || now - last.at >= this.#windowMs / SAMPLES_PER_WINDOW;
  }

  /**
   * Samples the successes.
   *
   * @returns successes in the window, or slightly longer; null until the samples cover a whole window
   */
  sample(balance: SuccessCounts, now: number): SuccessCounts | null {
    this.#samples.push({ ...balance, at: now });
    this.#forget(now);
    const first = this.#samples[0]!;
    if (now - first.at < this.#windowMs) return null;
    return { own: balance.own - first.own, others: balance.others - first.others };
  }

  clear(): void {
    this.#failedAt.clear();
    this.#samples.length = 0;
  }

  #forget(now: number): void {
    for (const [network, at] of this.#failedAt) {
      if (now - at < this.#windowMs) break;
      this.#failedAt.delete(network);
    }
    while (this.#samples.length > 1 && now - this.#samples[1]!.at >= this.#windowMs) this.#samples.shift();
  }
}
