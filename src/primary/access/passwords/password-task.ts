import { matchesHash } from '../../../access/credentials/basic/password-hash.ts';

/** A password, and the entry of an htpasswd file that it is compared with. */
export interface PasswordTask {
  readonly hash: string;
  readonly password: string;
}

/**
 * Tells whether a password matches its hash: the task of the thread for passwords. bcrypt of cost 12 takes
 * about 300 ms. No worker can spare that, nor can the primary.
 */
export default function compare({ hash, password }: PasswordTask): boolean {
  return matchesHash(password, hash);
}
