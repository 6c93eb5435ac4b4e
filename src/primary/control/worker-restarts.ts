import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Supervisor } from '../workers/supervisor.ts';

/** The workers that can be restarted. */
interface RestartedWorkers extends Pick<Supervisor, 'restart'> {
  readonly slots: readonly { readonly name: string }[];
}

/** Replaces workers by new ones, one at a time. */
export class WorkerRestarts {
  readonly #supervisor: RestartedWorkers;
  readonly #log: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(supervisor: RestartedWorkers, log: Logger) {
    this.#supervisor = supervisor;
    this.#log = log;
  }

  /** Queues the restart of a worker, or of all for null. Returns false if no worker has that name. */
  request(worker: string | null): boolean {
    const names = this.#supervisor.slots
      .map(({ name }) => name)
      .filter((name) => worker === null || name === worker);
    if (names.length === 0) return false;
    this.#last = this.#last.then(() => this.#restart(names));
    return true;
  }

  /** Stops at the first worker whose restart fails. */
  async #restart(names: readonly string[]): Promise<void> {
    for (const name of names) {
      try {
        this.#log.info({ worker: name }, 'restarting worker');
        if (await this.#supervisor.restart(name)) {
          this.#log.info({ worker: name }, 'worker restarted');
        }
      } catch (error) {
        this.#log.error({ worker: name, reason: messageOf(error) }, 'worker restart failed');
        return;
      }
    }
  }
}
