import type { DrainSettings } from '../config/types.ts';
import type { DrainScope } from '../protocol/to-worker.ts';
import type { Logger } from '../telemetry/logger.ts';

/** How far a drain is. */
export interface DrainProgress {
  readonly scope: DrainScope;
  /** Sessions and tunnels when it began. */
  readonly total: number;
  readonly remaining: number;
  readonly seconds: number;
}

interface DrainWorkers {
  count(scope: DrainScope): number;
  drain(scope: DrainScope, settings: DrainSettings): void;
  undrain(scope: DrainScope): void;
}

interface Running {
  readonly scope: DrainScope;
  readonly total: number;
  readonly startedAt: number;
  finishedAt: number | null;
}

const LOOK_MS = 200;
const LOG_MS = 5000;

/** The drains that are in force, and how far each is. */
export class Drains {
  readonly #workers: DrainWorkers;
  readonly #log: Logger;
  readonly #running = new Map<string, Running>();
  #timer: NodeJS.Timeout | undefined;
  #loggedAt = 0;

  constructor(workers: DrainWorkers, log: Logger) {
    this.#workers = workers;
    this.#log = log;
  }

  /** Begins one, or begins it anew with other settings. */
  begin(scope: DrainScope, settings: DrainSettings): DrainProgress {
    const now = performance.now();
    const total = this.#workers.count(scope);
    const running: Running = { scope, total, startedAt: now, finishedAt: null };
    this.#running.set(JSON.stringify(scope), running);
    const { rate, deadlineMs } = settings;
    this.#log.info({ scope, connections: total, rate, deadlineMs }, 'drain begins');
    this.#workers.drain(scope, settings);
    this.#loggedAt = now;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return this.#progressOf(running);
  }

  /** Lets the scope take new work again; false where it was not drained. */
  cancel(scope: DrainScope): boolean {
    if (!this.#running.delete(JSON.stringify(scope))) return false;
    this.#workers.undrain(scope);
    this.#log.info({ scope }, 'drain ends: new work is taken again');
    return true;
  }

  get progress(): DrainProgress[] {
    return Array.from(this.#running.values(), (running) => this.#progressOf(running));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    const tells = now - this.#loggedAt >= LOG_MS;
    let open = false;
    for (const running of this.#running.values()) {
      if (running.finishedAt !== null) continue;
      const progress = this.#progressOf(running);
      if (progress.remaining === 0) {
        running.finishedAt = now;
        this.#log.info({ ...progress, remaining: 0 }, 'drained');
      } else {
        open = true;
        if (tells) this.#log.info(progress, 'draining');
      }
    }
    if (tells) this.#loggedAt = now;
    if (!open) this.stop();
  }

  #progressOf({ scope, total, startedAt, finishedAt }: Running): DrainProgress {
    const remaining = this.#workers.count(scope);
    const seconds = Math.round(((finishedAt ?? performance.now()) - startedAt) / 100) / 10;
    return { scope, total: Math.max(total, remaining), remaining, seconds };
  }
}
