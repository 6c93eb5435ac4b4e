/** Asks for lines at a terminal. */
import { createInterface } from 'node:readline/promises';
import { StartError } from '../../core/errors.ts';

/** Reads answers from standard input. Close it after the last question. */
export class Prompt {
  readonly #lines = createInterface({ input: process.stdin, output: process.stdout });
  readonly #ended = new AbortController();

  constructor() {
    // Ctrl-D closes the input, and Ctrl-C ends the command.
    this.#lines.on('SIGINT', () => this.#lines.close());
    this.#lines.on('close', () => this.#ended.abort());
  }

  /** @throws StartError if the user ends the input */
  async ask(question: string): Promise<string> {
    try {
      return await this.#lines.question(question, { signal: this.#ended.signal });
    } catch {
      process.stdout.write('\n');
      throw new StartError('the input ended before the last answer: nothing is written');
    }
  }

  close(): void {
    this.#lines.close();
  }
}
