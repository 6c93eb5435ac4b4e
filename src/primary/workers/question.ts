import type { FromWorker } from '../../protocol/from-worker.ts';
import type { ToWorker } from '../../protocol/to-worker.ts';

/** A command that a worker answers. */
export type AskedCommand = Extract<ToWorker, { type: 'prepare' | 'settle' }>;

/** Waits for a worker's answer to a command. */
export class Question {
  /** Resolves with the worker's problem, which may be a timeout; null if the worker succeeded. */
  readonly problem: Promise<string | null>;
  readonly #command: AskedCommand;
  readonly #answered = Promise.withResolvers<string | null>();
  readonly #timer: NodeJS.Timeout;

  /** @param worker name of the worker */
  constructor(command: AskedCommand, worker: string, maxMs: number) {
    this.#command = command;
    const late = `no answer within ${maxMs / 1000} s`;
    this.#timer = setTimeout(() => this.#answered.resolve(late), maxMs);
    this.problem = this.#answered.promise.then((problem) => {
      clearTimeout(this.#timer);
      return problem === null ? null : `worker ${worker}: ${problem}`;
    });
  }

  /** Handles a message that may be the answer. */
  receive(message: Extract<FromWorker, { type: 'prepared' | 'settled' }>): void {
    const { type, generation } = this.#command;
    if (message.generation !== generation) return;
    if (message.type === 'prepared' && type === 'prepare') this.#answered.resolve(message.problem);
    if (message.type === 'settled' && type === 'settle') this.#answered.resolve(null);
  }

  /** Resolves without an answer: the worker will not send one. */
  drop(): void {
    this.#answered.resolve(null);
  }
}
