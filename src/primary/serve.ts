import { constants } from 'node:os';
import { formatAddress } from '../core/address.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Primary } from './primary.ts';
import type { PrimaryOptions, Started } from './primary.ts';

interface ServeOptions extends PrimaryOptions {
  /** Called when everything listens. */
  readonly onReady?: (started: Started) => void;
}

/** How it came to an end. */
export interface Outcome {
  /**
   * Exit status: 0 after a drain, 128 and the signal's number where a second signal cut it short, 1 after a
   * fault or where a worker did not end in time.
   */
  readonly status: number;
  /** Whether all workers have ended; if not, only a hard exit can end the process in good order. */
  readonly ended: boolean;
  /** What kept it from starting, else null. */
  readonly failure: unknown;
}

type StopSignal = 'SIGTERM' | 'SIGINT';

/** npm passes a Ctrl-C on to a process that has it from the terminal already, timeout(1) a SIGTERM: two so close are one. */
const SAME_SIGNAL_MS = 500;
/** What connections get when the primary itself has failed. */
const FAULT_GRACE_MS = 1000;

/** Starts the primary and runs it until a signal or a fault of its own ends it. */
export async function serve(options: ServeOptions): Promise<Outcome> {
  const { config, log, onReady } = options;
  const primary = new Primary(options);
  const stop = new Stop(primary, log, config.shutdown.graceMs);
  const release = watchProcess(stop, log);
  try {
    const started = await primary.start();
    logReady(started, log);
    onReady?.(started);
    return await stop.outcome;
  } catch (failure) {
    if (stop.requested) return await stop.outcome;
    return { status: 1, ended: await primary.drain(0), failure };
  } finally {
    release();
  }
}

function logReady({ config, admin, generation, workers }: Started, log: Logger): void {
  const listeners = Object.fromEntries(
    config.listeners.map(({ name, address }) => [name, formatAddress(address)]),
  );
  log.info({ listeners, admin: formatAddress(admin), generation, workers }, 'ready');
}

/** Turns the process's signals and uncaught exceptions into orders; returns how to stop doing so. */
function watchProcess(stop: Stop, log: Logger): () => void {
  const handlers: readonly (readonly [string, (given: unknown) => void])[] = [
    ['SIGTERM', () => stop.bySignal('SIGTERM')],
    ['SIGINT', () => stop.bySignal('SIGINT')],
    ['SIGHUP', () => log.warn('the configuration is not reloaded: restart to change it')],
    // Without a handler Node would open its inspector.
    ['SIGUSR1', () => log.debug('no log file to reopen: the log goes to standard output')],
    ['uncaughtException', (error) => stop.byFault(error)],
    ['unhandledRejection', (reason) => stop.byFault(reason)],
  ];
  for (const [event, handler] of handlers) process.on(event, handler);
  return () => {
    for (const [event, handler] of handlers) process.off(event, handler);
  };
}

/** The end of the primary: begun once, and hurried by what comes after. */
class Stop {
  readonly outcome: Promise<Outcome>;
  readonly #primary: Primary;
  readonly #log: Logger;
  readonly #graceMs: number;
  #status: number | null = null;
  #lastSignal: { readonly signal: StopSignal; readonly at: number } | null = null;
  readonly #settle: (outcome: Outcome) => void;

  constructor(primary: Primary, log: Logger, graceMs: number) {
    this.#primary = primary;
    this.#log = log;
    this.#graceMs = graceMs;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.#settle = resolve;
  }

  get requested(): boolean {
    return this.#status !== null;
  }

  bySignal(signal: StopSignal): void {
    const now = performance.now();
    const last = this.#lastSignal;
    if (last?.signal === signal && now - last.at < SAME_SIGNAL_MS) return;
    this.#lastSignal = { signal, at: now };
    if (this.#status === null) {
      this.#log.info({ signal, graceMs: this.#graceMs }, 'draining');
      this.#status = 0;
      void this.#drain(this.#graceMs);
    } else {
      this.#log.warn({ signal }, 'ending at once');
      if (this.#status === 0) this.#status = 128 + constants.signals[signal];
      void this.#primary.drain(0);
    }
  }

  byFault(thrown: unknown): void {
    this.#log.fatal({ err: thrown }, 'the primary failed');
    const first = this.#status === null;
    this.#status = 1;
    const graceMs = Math.min(this.#graceMs, FAULT_GRACE_MS);
    if (first) void this.#drain(graceMs);
    else void this.#primary.drain(graceMs);
  }

  async #drain(graceMs: number): Promise<void> {
    let ended = false;
    try {
      ended = await this.#primary.drain(graceMs);
    } catch (error) {
      this.#log.fatal({ err: error }, 'the drain failed');
    }
    if (!ended) this.#log.error({ workers: this.#primary.running() }, 'workers did not end in time');
    const status = ended ? (this.#status ?? 0) : 1;
    this.#log.info({ status }, 'stopped');
    this.#settle({ status, ended, failure: null });
  }
}
