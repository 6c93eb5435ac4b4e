import { matchesHash } from '../../../access/credentials/basic/password-hash.ts';

/** A password, and the entry of an htpasswd file that it is compared with. */
export interface PasswordTask {
  readonly hash: string;
  readonly password: string;
}

/**
 * The task of the thread for passwords: tells whether a password matches its hash. A hash of bcrypt takes up to 100 ms, which
 * no thread that carries traffic, and not the primary, can spend.
 */
export default function compare({ hash, password }: PasswordTask): boolean {
  return matchesHash(password, hash);
}
