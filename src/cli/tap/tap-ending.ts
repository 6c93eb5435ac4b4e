/** The ways in which this side ends a tap. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The source of signals: the process. */
interface SignalSource {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** Ends a tap on a signal, when the reader of the output leaves, or after a time. */
export class TapEnding {
  readonly #source: SignalSource;
  readonly #listeners = new Map<string, () => void>();
  #controller = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #status = 0;

  /** @param output emits an error when its reader closes the pipe */
  constructor(source: SignalSource, output: SignalSource) {
    this.#source = source;
    for (const name of SIGNALS) {
      const listener = (): void => this.#end(name === 'SIGINT' ? 0 : 128 + constants.signals[name]);
      this.#listeners.set(name, listener);
      source.on(name, listener);
    }
    // This listener stays, because more errors may follow the end.
    output.on('error', () => this.#end(0));
  }

  /** Aborted to end the tap. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status: 0, or 128 plus the number of a signal other than SIGINT. */
  get status(): number {
    return this.#status;
  }

  /** Ends the tap after a time. */
  after(ms: number): void {
    this.#timer = setTimeout(() => this.#end(0), ms);
  }

  /** Returns a new abort signal for the work after the tap. The next process signal aborts it. */
  again(): AbortSignal {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#controller = new AbortController();
    return this.#controller.signal;
  }

  /** Restores the default effect of signals. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const [name, listener] of this.#listeners) this.#source.off(name, listener);
  }

  #end(status: number): void {
    if (this.#controller.signal.aborted) return;
    this.#status = status;
    this.#controller.abort();
  }
}
