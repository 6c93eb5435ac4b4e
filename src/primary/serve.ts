import { constants } from 'node:os';
import type { Config } from '../config/types/config.ts';
import { formatAddress } from '../core/address.ts';
import { limitHeapGrowth, shareBuiltins } from '../sys/memory/heap.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogOutputs } from '../telemetry/output/log-outputs.ts';
import type { PrimaryOptions } from './build.ts';
import { Primary } from './primary.ts';
import type { ServiceManager } from './process/service-manager.ts';
import type { Successor } from './process/successor.ts';
import type { Started } from './running.ts';

interface ServeOptions extends Omit<PrimaryOptions, 'onHandOver' | 'onReload'> {
  readonly output: PrimaryOptions['output'] & Pick<LogOutputs, 'reopen' | 'mayRotate'>;
  /** Called when all listeners and the admin server listen. */
  readonly onReady?: (started: Started) => void;
  /** The service manager that started the process, or null. */
  readonly manager?: ServiceManager | null;
  /** Starts a process that takes over from this one. */
  readonly successor: Pick<Successor, 'start' | 'succeeded' | 'stop'>;
}

/** How the process ended. */
export interface Outcome {
  /**
   * Exit status. 0 after a drain. 128 plus the signal's number if a second signal cut the drain short. 1
   * after a fault, or if a worker did not end in time.
   */
  readonly status: number;
  /** Whether all threads ended. If not, only a hard exit can end the process cleanly. */
  readonly ended: boolean;
  /** The error that prevented the start; null if there was none. */
  readonly failure: unknown;
}

type StopSignal = 'SIGTERM' | 'SIGINT';

/**
 * Equal signals within this time count as one. npm forwards a Ctrl-C to a process that already got it from
 * the terminal, and timeout(1) sends SIGTERM twice.
 */
const SAME_SIGNAL_MS = 500;
/** Grace period for connections after a fault of the primary. */
const FAULT_GRACE_MS = 1000;

/** Starts the primary, and runs it until a signal or its own fault ends it. */
export async function serve(options: ServeOptions): Promise<Outcome> {
  const { config, log, output, onReady, manager = null, successor } = options;
  // If two processes write the same files, the process with the admin address rotates them.
  output.mayRotate = options.takeOver !== true;
  limitHeapGrowth();
  shareBuiltins();
  const primary = new Primary({
    ...options,
    onHandOver: (pid) => {
      output.mayRotate = false;
      successor.succeeded();
      if (pid !== null) manager?.handOver(pid);
      stop.byHandOver();
    },
    onReload: (isOver) => (isOver ? manager?.ready() : manager?.reloading()),
  });
  const stop: Stop = new Stop(primary, log, config, () => {
    successor.stop();
    manager?.stopping();
  });
  let isReady = false;
  const startSuccessor = (): void => {
    if (isReady && !stop.requested) successor.start();
    else log.warn('no successor started: the process is not ready, or ends');
  };
  const release = watchProcess(primary, stop, { SIGUSR1: () => reopenLog(options), SIGUSR2: startSuccessor });
  try {
    const started = await primary.start();
    if (!stop.requested) output.mayRotate = true;
    logReady(started, log);
    onReady?.(started);
    // If the end was announced during the start, STOPPING must be the service manager's last message.
    if (!stop.requested) manager?.ready();
    isReady = true;
    manager?.watch(() => primary.unhealthy);
    return await stop.outcome;
  } catch (failure) {
    if (stop.requested) return await stop.outcome;
    const ended = await primary.end(0);
    return { status: 1, ended: ended && primary.leftBehind === 0, failure };
  } finally {
    successor.stop();
    release();
    manager?.close();
  }
}

function logReady({ config, admin, generation, workers }: Started, log: Logger): void {
  const listeners = Object.fromEntries(
    config.listeners.map(({ name, address }) => [name, formatAddress(address)]),
  );
  log.info({ listeners, admin: formatAddress(admin), generation, workers }, 'ready');
}

/** Handles the process's signals and uncaught exceptions. Returns a function that removes the handlers. */
function watchProcess(
  primary: Primary,
  stop: Stop,
  { SIGUSR1, SIGUSR2 }: Readonly<Record<'SIGUSR1' | 'SIGUSR2', () => void>>,
): () => void {
  const handlers: readonly (readonly [string, (given: unknown) => void])[] = [
    ['SIGTERM', () => stop.bySignal('SIGTERM')],
    ['SIGINT', () => stop.bySignal('SIGINT')],
    ['SIGHUP', () => void primary.reload('SIGHUP')],
    // Without a handler, Node would open its inspector.
    ['SIGUSR1', SIGUSR1],
    ['SIGUSR2', SIGUSR2],
    ['uncaughtException', (error) => stop.byFault(error)],
    ['unhandledRejection', (reason) => stop.byFault(reason)],
  ];
  for (const [event, handler] of handlers) process.on(event, handler);
  return () => {
    for (const [event, handler] of handlers) process.off(event, handler);
  };
}

function reopenLog({ log, output }: ServeOptions): void {
  const files = output.reopen();
  if (files.length === 0) log.info('the log goes to standard output: no file to reopen');
  for (const { log: name, file, problem } of files) {
    if (problem === null) log.info({ log: name, file }, 'log file reopened');
    else log.error({ log: name, reason: problem }, 'log file not reopened: writing to the old file');
  }
}

/** The end of the primary. It begins once, and later signals and faults speed it up. */
class Stop {
  readonly outcome: Promise<Outcome>;
  readonly #primary: Primary;
  readonly #log: Logger;
  readonly #graceMs: number;
  readonly #handOverMs: number;
  readonly #onStop: () => void;
  #status: number | null = null;
  #over = false;
  #lastSignal: { readonly signal: StopSignal; readonly at: number } | null = null;
  readonly #settle: (outcome: Outcome) => void;

  constructor(primary: Primary, log: Logger, { shutdown, drain }: Config, onStop: () => void) {
    this.#onStop = onStop;
    this.#primary = primary;
    this.#log = log;
    this.#graceMs = shutdown.graceMs;
    this.#handOverMs = drain.deadlineMs;
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
      this.#onStop();
      void this.#announce();
    } else {
      this.#log.warn({ signal }, 'ending at once');
      if (this.#status === 0) this.#status = 128 + constants.signals[signal];
      void this.#drain(0);
    }
  }

  /**
   * Drains because another process has taken over: no connection is refused, and open connections get a
   * drain's time.
   */
  byHandOver(): void {
    if (this.#status !== null) return;
    this.#log.info({ deadlineMs: this.#handOverMs }, 'another process takes over: draining');
    this.#status = 0;
    void this.#drain(this.#handOverMs, true);
  }

  byFault(thrown: unknown): void {
    this.#log.fatal({ err: thrown }, 'primary failed');
    const first = this.#status === null;
    this.#status = 1;
    const graceMs = Math.min(this.#graceMs, FAULT_GRACE_MS);
    if (first) void this.#drain(graceMs);
    else void this.#primary.end(graceMs);
  }

  async #announce(): Promise<void> {
    await this.#primary.announceEnd();
    await this.#drain(this.#graceMs);
  }

  async #drain(graceMs: number, handOver = false): Promise<void> {
    let ended = false;
    try {
      ended = await this.#primary.end(graceMs, handOver);
    } catch (error) {
      this.#log.fatal({ err: error }, 'drain failed');
    }
    if (this.#over) return;
    this.#over = true;
    if (!ended) this.#log.error({ workers: this.#primary.remainingWorkers() }, 'workers did not end in time');
    const status = ended ? (this.#status ?? 0) : 1;
    this.#log.info({ status }, 'stopped');
    const { leftBehind } = this.#primary;
    if (leftBehind > 0) this.#log.warn({ leftBehind }, 'hard exit because of stuck threads');
    this.#settle({ status, ended: ended && leftBehind === 0, failure: null });
  }
}
