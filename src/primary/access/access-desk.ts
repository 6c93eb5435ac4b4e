import type { AccessCommand, AccessReport, Revocation } from '../../protocol/access.ts';
import type { ClientDesk } from '../workers/client-desk.ts';
import type { Passwords } from './passwords/passwords.ts';

/** Answers what workers ask about clients. */
export class AccessDesk implements ClientDesk {
  readonly revocations: readonly Revocation[] = [];
  readonly keySets: ReadonlyMap<string, string> = new Map();
  readonly #passwords: Pick<Passwords, 'verify' | 'drop'>;

  constructor(passwords: Pick<Passwords, 'verify' | 'drop'>) {
    this.#passwords = passwords;
  }

  hear(report: AccessReport, reply: (command: AccessCommand) => void): void {
    if (report.type === 'verify_password') this.#passwords.verify(report, reply);
    if (report.type === 'drop_password') this.#passwords.drop(report, reply);
    if (report.type === 'key_set_wanted') reply({ type: 'key_set', url: report.url, jwks: null });
  }
}
