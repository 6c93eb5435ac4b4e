import { StartError } from '../../core/errors.ts';
import type { PrimaryState } from '../../protocol/admin/status.ts';

/** How far the primary is in its life: it starts, is ready, drains, and never goes back. */
export class Lifecycle {
  #state: PrimaryState = 'starting';
  /** Whether the workers are told to end. The state can be `draining` before: the end is announced. */
  #isEnding = false;

  get state(): PrimaryState {
    return this.#state;
  }

  /** Whether the end has begun, or is announced. */
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
