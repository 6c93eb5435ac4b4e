import type { PasswordAttempt, PasswordVerifier } from '../../access/contract/access-services.ts';
import { PasswordMemory } from '../../access/credentials/basic/password-memory.ts';
import type { PasswordCommand } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';
import { networkOf } from '../../wire/ip-address.ts';

/** A password sent to the primary for verification. */
interface PendingVerification {
  readonly digest: string;
  readonly done: (matches: boolean | null) => void;
}

/**
 * Caches results, and asks the primary about other passwords: one thread verifies the passwords of all
 * workers.
 */
export class WorkerPasswords implements PasswordVerifier {
  readonly #send: (message: FromWorker) => void;
  readonly #memory: PasswordMemory;
  readonly #pending = new Map<number, PendingVerification>();
  #last = 0;

  /** @param now milliseconds, monotonic */
  constructor(send: (message: FromWorker) => void, now: () => number = () => performance.now()) {
    this.#send = send;
    this.#memory = new PasswordMemory(now);
  }

  verify(attempt: PasswordAttempt, done: (matches: boolean | null) => void): boolean | (() => void) {
    const { hash, password, client } = attempt;
    const digest = this.#memory.digestOf(hash, password);
    const known = this.#memory.recall(digest);
    if (known !== null) return known;
    const number = ++this.#last;
    this.#pending.set(number, { digest, done });
    this.#send({ type: 'verify_password', number, hash, password, client: networkOf(client) });
    return () => {
      if (this.#pending.delete(number)) this.#send({ type: 'drop_password', number });
    };
  }

  /** Handles an answer from the primary. Ignores answers that nobody awaits. */
  handle({ number, matches }: PasswordCommand): void {
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    this.#pending.delete(number);
    if (matches !== null) this.#memory.remember(pending.digest, matches);
    pending.done(matches);
  }
}
