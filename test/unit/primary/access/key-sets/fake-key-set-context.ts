import type { FetchedKeySet } from '../../../../../src/primary/access/key-sets/key-set-request.ts';
import type { KeySetContext } from '../../../../../src/primary/access/key-sets/remote-key-set.ts';
import { capture } from '../../fixtures/config.ts';

interface Fetch {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly answer: PromiseWithResolvers<FetchedKeySet>;
}

/** A process in which key sets are fetched when the test says so. */
export class FakeKeySetContext implements KeySetContext {
  readonly log: KeySetContext['log'];
  readonly #lines: ReturnType<typeof capture>['lines'];
  /** Pending fetches. */
  readonly fetches: Fetch[] = [];
  readonly changes: string[] = [];
  time = 0;
  #timers: { at: number; callback: () => void }[] = [];

  constructor() {
    ({ log: this.log, lines: this.#lines } = capture());
  }

  readonly fetch: KeySetContext['fetch'] = (url, signal) => {
    const answer = Promise.withResolvers<FetchedKeySet>();
    this.fetches.push({ url, signal, answer });
    return answer.promise;
  };
  readonly now = (): number => this.time;
  readonly onChange: KeySetContext['onChange'] = (url, jwks) => void this.changes.push(`${url} ${jwks}`);
  readonly schedule: KeySetContext['schedule'] = (delayMs, callback) => {
    const timer = { at: this.time + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** The fields of all lines with a message. */
  linesOf(message: string): readonly Readonly<Record<string, unknown>>[] {
    return this.#lines.filter(({ msg }) => msg === message).map((line) => ({ ...line }));
  }

  /** When the next timer is due; Infinity without one. */
  get nextAt(): number {
    return Math.min(...this.#timers.map(({ at }) => at), Infinity);
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { callback } of due) callback();
  }

  /** Answers the oldest fetch. */
  async answer(jwks: string | Error, maxAgeMs: number | null = null): Promise<void> {
    const { answer } = this.fetches.shift()!;
    if (jwks instanceof Error) answer.reject(jwks);
    else answer.resolve({ jwks, keys: 1, maxAgeMs });
    await new Promise(setImmediate);
  }
}
