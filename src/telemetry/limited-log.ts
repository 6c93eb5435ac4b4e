import type { Logger } from './logger.ts';

const PERIOD_MS = 10_000;

interface Told {
  readonly at: number;
  /** Lines left out since then. */
  omitted: number;
}

/**
 * Bounds lines that clients can bring about: each message is written once in 10 seconds at most. The next line says
 * in `omitted` how many were left out.
 */
export class LimitedLog {
  readonly #log: Pick<Logger, 'warn' | 'error'>;
  readonly #now: () => number;
  readonly #told = new Map<string, Told>();

  constructor(log: Pick<Logger, 'warn' | 'error'>, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** @param message a constant, because one is kept of each */
  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  /** @param message as for {@link warn} */
  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  #write(level: 'warn' | 'error', fields: object, message: string): void {
    const now = this.#now();
    const told = this.#told.get(message);
    if (told !== undefined && now - told.at < PERIOD_MS) {
      told.omitted++;
      return;
    }
    this.#told.set(message, { at: now, omitted: 0 });
    const omitted = told?.omitted ?? 0;
    this.#log[level](omitted === 0 ? fields : { ...fields, omitted }, message);
  }
}
