import { StartError } from '../../core/errors.ts';
import type { PrimaryState } from '../../protocol/admin/status.ts';

/** The primary's stage of life: starting, ready, draining. It never goes back. */
export class Lifecycle {
  #state: PrimaryState = 'starting';
  /** Whether the workers have been told to end. The state is `draining` earlier, from the announcement on. */
  #isEnding = false;

  get state(): PrimaryState {
    return this.#state;
  }

  /** Whether the end has begun or is announced. */
  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  becomeReady(): void {
    if (this.#state === 'starting') this.#state = 'ready';
  }

  announceEnd(): void {
    this.#state = 'draining';
  }

  end(): void {
    this.#state = 'draining';
    this.#isEnding = true;
  }

  /** Called between the steps of the start. @throws StartError if the end has begun */
  continueStart(): void {
    if (this.#isEnding) throw new StartError('stopped before it was ready');
  }
}
