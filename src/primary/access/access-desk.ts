import type { AccessCommand, AccessReport, Revocation } from '../../protocol/access.ts';
import type { ClientDesk } from '../workers/client-desk.ts';

/** Answers what workers ask about clients. */
export class AccessDesk implements ClientDesk {
  readonly revocations: readonly Revocation[] = [];
  readonly keySets: ReadonlyMap<string, string> = new Map();

  hear(report: AccessReport, reply: (command: AccessCommand) => void): void {
    if (report.type === 'verify_password') reply({ type: 'password', number: report.number, matches: null });
    if (report.type === 'key_set_wanted') reply({ type: 'key_set', url: report.url, jwks: null });
  }
}
