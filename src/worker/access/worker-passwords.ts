import type { PasswordAttempt, PasswordVerifier } from '../../access/contract/access-services.ts';
import type { PasswordCommand } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';
import { networkOf } from '../../wire/ip-address.ts';

/** Asks the primary, which has one thread for the passwords of all workers. */
export class WorkerPasswords implements PasswordVerifier {
  readonly #say: (message: FromWorker) => void;
  readonly #waiting = new Map<number, (matches: boolean | null) => void>();
  #last = 0;

  constructor(say: (message: FromWorker) => void) {
    this.#say = say;
  }

  verify({ hash, password, client }: PasswordAttempt, done: (matches: boolean | null) => void): () => void {
    const number = ++this.#last;
    this.#waiting.set(number, done);
    this.#say({ type: 'verify_password', number, hash, password, client: networkOf(client) });
    return () => {
      if (this.#waiting.delete(number)) this.#say({ type: 'drop_password', number });
    };
  }

  hear({ number, matches }: PasswordCommand): void {
    const done = this.#waiting.get(number);
    this.#waiting.delete(number);
    done?.(matches);
  }
}
