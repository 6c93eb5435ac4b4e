/** Asks for lines at a terminal. */
import { createInterface, type Interface } from 'node:readline';
import { StartError } from '../../core/errors.ts';

/** The question that waits for its answer. */
interface Waiting {
  readonly settle: (answer: string) => void;
  readonly fail: (error: StartError) => void;
}

/** Reads answers from an input. Close it after the last question. */
export class Prompt {
  readonly #lines: Interface;
  readonly #output: NodeJS.WritableStream;
  /** Lines that were pasted or typed before their question. */
  readonly #early: string[] = [];
  #waiting: Waiting | null = null;
  #isEnded = false;

  constructor(input: NodeJS.ReadableStream = process.stdin, output: NodeJS.WritableStream = process.stdout) {
    this.#output = output;
    this.#lines = createInterface({ input, output });
    this.#lines.on('line', (line) => {
      if (this.#waiting === null) this.#early.push(line);
      else this.#taken().settle(line);
    });
    // Ctrl-D closes the input, and Ctrl-C ends the command.
    this.#lines.on('SIGINT', () => this.#lines.close());
    this.#lines.on('close', () => {
      this.#isEnded = true;
      if (this.#waiting !== null) this.#taken().fail(this.#ended());
    });
  }

  /** @throws StartError if the user ends the input */
  ask(question: string): Promise<string> {
    const early = this.#early.shift();
    if (early !== undefined) {
      this.#output.write(`${question}${early}\n`);
      return Promise.resolve(early);
    }
    return new Promise((settle, fail) => {
      if (this.#isEnded) {
        fail(this.#ended());
        return;
      }
      this.#waiting = { settle, fail };
      this.#lines.setPrompt(question);
      // Keeps the cursor behind the start of a line that is typed already.
      this.#lines.prompt(true);
    });
  }

  close(): void {
    this.#lines.close();
  }

  #taken(): Waiting {
    const waiting = this.#waiting!;
    this.#waiting = null;
    return waiting;
  }

  #ended(): StartError {
    this.#output.write('\n');
    return new StartError('the input ended before the last answer: nothing is written');
  }
}
