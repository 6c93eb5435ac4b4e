import type { AccessServices } from '../../access/contract/access-services.ts';
import type { AccessCommand } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';
import type { WorkerStart } from '../../protocol/to-worker.ts';
import { WorkerKeySets } from './worker-key-sets.ts';
import { WorkerPasswords } from './worker-passwords.ts';
import { WorkerRevocations } from './worker-revocations.ts';

/** What a worker knows of clients, and asks the primary about them. The same object in all generations. */
export class AccessLink {
  readonly passwords: WorkerPasswords;
  readonly keySets: WorkerKeySets;
  readonly revocations: WorkerRevocations;

  constructor(
    { revocations, keySets }: Pick<WorkerStart, 'revocations' | 'keySets'>,
    say: (message: FromWorker) => void,
  ) {
    this.passwords = new WorkerPasswords(say);
    this.keySets = new WorkerKeySets(keySets, say);
    this.revocations = new WorkerRevocations(revocations, say);
  }

  /** The parts that the methods of the worker's routes use. */
  get services(): Pick<AccessServices, 'passwords' | 'keySets' | 'revocations'> {
    const { passwords, keySets, revocations } = this;
    return { passwords, keySets, revocations };
  }

  /** Takes a message of the primary. */
  hear(command: Exclude<AccessCommand, { type: 'ask' }>): void {
    switch (command.type) {
      case 'password':
        this.passwords.hear(command);
        break;
      case 'key_set':
        this.keySets.hear(command);
        break;
      case 'revocations':
        this.revocations.hear(command);
    }
  }
}
