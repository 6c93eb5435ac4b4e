import type { AccessCommand, ClientReport, Revocation } from '../../protocol/access.ts';
import type { ClientService } from '../workers/client-service.ts';
import type { KeySets } from './key-sets/key-sets.ts';
import type { Passwords } from './passwords/passwords.ts';
import type { RevocationService } from './revocations/revocation-service.ts';
import type { WorkerQuestions } from './sessions/worker-questions.ts';

interface ServiceParts {
  readonly passwords: Pick<Passwords, 'verify' | 'drop'>;
  readonly keySets: Pick<KeySets, 'texts' | 'receive'>;
  readonly questions: Pick<WorkerQuestions, 'receive'>;
  readonly revocations: Pick<RevocationService, 'all' | 'receive'>;
}

/** Answers the workers' reports about clients. */
export class AccessService implements ClientService {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  get revocations(): readonly Revocation[] {
    return this.#parts.revocations.all;
  }

  get keySets(): ReadonlyMap<string, string> {
    return this.#parts.keySets.texts;
  }

  receive(report: ClientReport, reply: (command: AccessCommand) => void): void {
    const { passwords, keySets, questions, revocations } = this.#parts;
    switch (report.type) {
      case 'verify_password':
        passwords.verify(report, reply);
        break;
      case 'drop_password':
        passwords.drop(report, reply);
        break;
      case 'key_set_wanted':
        keySets.receive(report, reply);
        break;
      case 'answer':
        questions.receive(report);
        break;
      case 'revoked_token':
        revocations.receive(report);
    }
  }
}
