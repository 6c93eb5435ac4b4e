import type { AccessServices } from '../../access/contract/access-services.ts';
import type { AccessCommand } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';
import type { WorkerStart } from '../../protocol/to-worker.ts';
import { WorkerKeySets } from './worker-key-sets.ts';
import { WorkerPasswords } from './worker-passwords.ts';
import { WorkerRevocations } from './worker-revocations.ts';

/**
 * A worker's information about clients, and its requests to the primary about them. All generations share
 * this object.
 */
export class AccessLink {
  readonly passwords: WorkerPasswords;
  readonly keySets: WorkerKeySets;
  readonly revocations: WorkerRevocations;

  constructor(
    { revocations, keySets }: Pick<WorkerStart, 'revocations' | 'keySets'>,
    send: (message: FromWorker) => void,
  ) {
    this.passwords = new WorkerPasswords(send);
    this.keySets = new WorkerKeySets(keySets, send);
    this.revocations = new WorkerRevocations(revocations, send);
  }

  /** The services that the access methods of the worker's routes need. */
  get services(): Pick<AccessServices, 'passwords' | 'keySets' | 'revocations'> {
    const { passwords, keySets, revocations } = this;
    return { passwords, keySets, revocations };
  }

  /** Handles a message from the primary. */
  handle(command: Exclude<AccessCommand, { type: 'ask' }>): void {
    switch (command.type) {
      case 'password':
        this.passwords.handle(command);
        break;
      case 'key_set':
        this.keySets.handle(command);
        break;
      case 'revocations':
        this.revocations.handle(command);
    }
  }
}
