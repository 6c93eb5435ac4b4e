import { LineLimit } from '../line-limit.ts';
import type { Logger } from '../logger.ts';
import type { OutputTrouble } from './log-output.ts';

/** Reports failing outputs to people, at a limited rate. */
export class TroubleReport {
  readonly #log: () => Pick<Logger, 'warn'>;
  readonly #writeError: (text: string) => void;
  readonly #clock: () => number;
  /** By kind and output. */
  readonly #limits = new Map<string, LineLimit>();

  /**
   * @param log the logger, which itself writes to the outputs
   * @param writeError writes to standard error
   * @param clock milliseconds, monotonic
   */
  constructor(
    log: () => Pick<Logger, 'warn'>,
    writeError: (text: string) => void,
    clock: () => number = () => performance.now(),
  ) {
    this.#log = log;
    this.#writeError = writeError;
    this.#clock = clock;
  }

  report(trouble: OutputTrouble): void {
    const { kind, ...fields } = trouble;
    const limited = this.#take(`${kind} ${trouble.log}`);
    if (limited === null) return;
    // The log cannot report its own failure.
    if (trouble.kind === 'failed' && trouble.log === 'log') {
      this.#writeError(`sluice: the log cannot be written: ${trouble.reason}\n`);
    } else this.#log().warn({ ...fields, ...limited }, MESSAGES[kind]);
  }

  #take(what: string): object | null {
    let limit = this.#limits.get(what);
    if (limit === undefined) {
      limit = new LineLimit(this.#clock);
      this.#limits.set(what, limit);
    }
    return limit.take();
  }
}

const MESSAGES = {
  failed: 'access log write failed',
  recovered: 'log writes recovered',
  rotation: 'log rotation failed',
} as const satisfies Record<OutputTrouble['kind'], string>;
