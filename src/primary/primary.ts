import { setTimeout as delay } from 'node:timers/promises';
import { limitRequestHeads } from '../l7/uws/process-settings.ts';
import type { ReloadResult } from '../protocol/admin/answers.ts';
import type { Logger } from '../telemetry/logger.ts';
import { FIRST_GENERATION, build, type PrimaryOptions } from './build.ts';
import { Lifecycle } from './control/lifecycle.ts';
import { refuseReload } from './control/reloader.ts';
import type { Phase } from './phase.ts';
import { Engines } from './process/engines.ts';
import { THIS_MACHINE } from './process/machine.ts';
import { acquireResources, type Resources } from './resources.ts';
import type { Running, Started } from './running.ts';

/**
 * The control plane. Claims the addresses, starts the workers and the admin server, reloads and ends them.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #starting: Starting;
  readonly #announced = new AbortController();
  #phase: Phase;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#starting = new Starting(this.#lifecycle, options.log);
    this.#phase = this.#starting;
  }

  /**
   * Starts everything. Call it once. Resolves when all workers listen. Also rejects if {@link end} is called
   * during the start. After a rejection, {@link end} stops everything that was started.
   *
   * @throws StartError if the start fails
   */
  start(): Promise<Started> {
    return this.#starting.track(this.#buildAndStart());
  }

  /** Reads the configuration and applies it. If the new one is unusable, the old one stays. */
  reload(cause: string): Promise<ReloadResult> {
    return this.#phase.reload(cause);
  }

  /** Waits until load balancers in front have noticed the end. {@link end} cuts the wait short. */
  async announceEnd(): Promise<void> {
    this.#lifecycle.announceEnd();
    const { readyDelayMs } = this.#options.config.shutdown;
    const { signal } = this.#announced;
    await delay(readyDelayMs, undefined, { signal }).catch(() => undefined);
  }

  /**
   * Ends all workers after a grace period for their connections, then the admin server. Can be called again
   * with a shorter period.
   *
   * @param handOver whether another process has already taken over
   * @returns whether all workers ended in time, apart from {@link leftBehind}. If not, only a hard exit can
   * end the process cleanly
   */
  end(graceMs: number, handOver = false): Promise<boolean> {
    this.#lifecycle.end();
    // A running timer would keep the process alive.
    this.#announced.abort();
    return this.#phase.end({ graceMs, handOver });
  }

  /** Returns the names of the workers that have not ended, except stuck ones. */
  remainingWorkers(): readonly string[] {
    return this.#phase.workers;
  }

  /**
   * Number of stuck workers' threads that have not ended. Above 0, only a hard exit can end the process
   * cleanly.
   */
  get leftBehind(): number {
    return this.#phase.leftBehind;
  }

  /** Why a service manager should replace the process; null if it serves, starts or drains. */
  get unhealthy(): string | null {
    return this.#phase.unhealthy;
  }

  async #buildAndStart(): Promise<Started> {
    limitRequestHeads();
    const { config, takeOver = false, log } = this.#options;
    const engines = new Engines(log, THIS_MACHINE);
    const resources = await acquireResources(config, engines, takeOver, log);
    const running = this.#build(resources);
    this.#phase = running;
    return running.start();
  }

  #build(resources: Resources): Running {
    try {
      this.#lifecycle.continueStart();
      return build(this.#options, resources, this.#lifecycle);
    } catch (error) {
      resources.claim.free();
      throw error;
    }
  }
}

/** The primary before its parts are built. */
class Starting implements Phase {
  readonly workers = [];
  readonly leftBehind = 0;
  readonly unhealthy = null;
  readonly #lifecycle: Lifecycle;
  readonly #log: Logger;
  /** Settles when the start has succeeded or failed. */
  #settled: Promise<unknown> = Promise.resolve();

  constructor(lifecycle: Lifecycle, log: Logger) {
    this.#lifecycle = lifecycle;
    this.#log = log;
  }

  /** Makes {@link end} wait for a start. */
  track(start: Promise<Started>): Promise<Started> {
    this.#settled = start.catch(() => undefined);
    return start;
  }

  reload(cause: string): Promise<ReloadResult> {
    return Promise.resolve(refuseReload(cause, this.#lifecycle.state, FIRST_GENERATION, this.#log));
  }

  async end(): Promise<boolean> {
    await this.#settled;
    return true;
  }
}
