import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Logger } from '../../../telemetry/logger.ts';
import type { PasswordTask } from './password-task.ts';

/** Idle time before the thread ends. */
const IDLE_TIMEOUT_MS = 60_000;
/** Max time for one password. bcrypt of cost 12 takes 300 ms, longer on a busy machine. */
const MAX_RUN_MS = 10_000;

/** The thread that compares passwords with their hashes. Starts with the first password. */
export class PasswordThread {
  readonly #log: Logger;
  readonly #maxRunMs: number;
  #pool: Piscina | null = null;

  /** @param maxRunMs max time for one password. Then the thread is terminated */
  constructor(log: Logger, maxRunMs = MAX_RUN_MS) {
    this.#log = log;
    this.#maxRunMs = maxRunMs;
  }

  /**
   * Compares a password with its hash. Rejects if the thread fails, hangs or is closed. After a failure, the
   * next call starts a new thread.
   */
  async run(task: PasswordTask): Promise<boolean> {
    const pool = (this.#pool ??= this.#start());
    return (await pool.run(task, { signal: AbortSignal.timeout(this.#maxRunMs) })) as boolean;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#pool?.destroy();
  }

  #start(): Piscina {
    // The build compiles both files to JavaScript.
    const { href } = new URL('./password-task.ts', import.meta.url);
    const pool = new Piscina({
      filename: fileURLToPath(href.replace(/\.ts$/, extname(import.meta.url))),
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_TIMEOUT_MS,
      atomics: 'disabled',
      recordTiming: false,
    });
    pool.on('error', (error: unknown) => this.#log.error({ err: error }, 'password thread failed'));
    return pool;
  }
}
