import type { AccessCommand, AccessReport, Revocation } from '../../protocol/access.ts';
import type { ClientDesk } from '../workers/client-desk.ts';
import type { KeySets } from './key-sets/key-sets.ts';
import type { Passwords } from './passwords/passwords.ts';

interface DeskParts {
  readonly passwords: Pick<Passwords, 'verify' | 'drop'>;
  readonly keySets: Pick<KeySets, 'texts' | 'hear'>;
}

/** Answers what workers ask about clients. */
export class AccessDesk implements ClientDesk {
  readonly revocations: readonly Revocation[] = [];
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  get keySets(): ReadonlyMap<string, string> {
    return this.#parts.keySets.texts;
  }

  hear(report: AccessReport, reply: (command: AccessCommand) => void): void {
    const { passwords, keySets } = this.#parts;
    if (report.type === 'verify_password') passwords.verify(report, reply);
    if (report.type === 'drop_password') passwords.drop(report, reply);
    if (report.type === 'key_set_wanted') keySets.hear(report, reply);
  }
}
