import type { FromWorker } from '../../protocol/from-worker.ts';
import type { ToWorker } from '../../protocol/to-worker.ts';

/** A command that a worker answers. */
export type AskedCommand = Extract<ToWorker, { type: 'prepare' | 'settle' }>;

/** Waits for a worker's answer to a command. */
export class Question {
  /** Resolves with what is in the way, which may be that no answer comes in time; null if nothing is. */
  readonly problem: Promise<string | null>;
  readonly #command: AskedCommand;
  readonly #answered = Promise.withResolvers<string | null>();
  readonly #timer: NodeJS.Timeout;

  /** @param worker its name */
  constructor(command: AskedCommand, worker: string, maxMs: number) {
    this.#command = command;
    const late = `it does not answer after ${maxMs / 1000} s`;
    this.#timer = setTimeout(() => this.#answered.resolve(late), maxMs);
    this.problem = this.#answered.promise.then((problem) => {
      clearTimeout(this.#timer);
      return problem === null ? null : `worker ${worker}: ${problem}`;
    });
  }

  /** Takes a message that may be the answer. */
  hear(message: Extract<FromWorker, { type: 'prepared' | 'settled' }>): void {
    const { type, generation } = this.#command;
    if (message.generation !== generation) return;
    if (message.type === 'prepared' && type === 'prepare') this.#answered.resolve(message.problem);
    if (message.type === 'settled' && type === 'settle') this.#answered.resolve(null);
  }

  /** Nobody will answer. */
  drop(): void {
    this.#answered.resolve(null);
  }
}
