import { matchesHash } from '../../../access/credentials/basic/password-hash.ts';

/** A password and the entry of an htpasswd file to compare it with. */
export interface PasswordTask {
  readonly hash: string;
  readonly password: string;
}

/**
 * Compares a password with its hash. This is the task of the password thread: bcrypt of cost 12 takes about
 * 300 ms, which neither a worker nor the primary can spare.
 */
export default function compare({ hash, password }: PasswordTask): boolean {
  return matchesHash(password, hash);
}
