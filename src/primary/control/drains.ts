import type { DrainSettings } from '../../config/types/config.ts';
import type { DrainStatus } from '../../protocol/status.ts';
import { scopeKey, type DrainScope } from '../../protocol/to-worker.ts';
import type { Logger } from '../../telemetry/logger.ts';

interface DrainWorkers {
  count(scope: DrainScope): number;
  drain(scope: DrainScope, settings: DrainSettings): void;
  undrain(scope: DrainScope): void;
}

interface Running {
  readonly scope: DrainScope;
  total: number;
  /** Null while it is only announced. */
  startedAt: number | null;
  finishedAt: number | null;
  /** What begins it. */
  readonly timer: NodeJS.Timeout | undefined;
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

  /**
   * Begins one, or begins it anew with other settings.
   *
   * @param announceMs how long it is only said, so that whoever balances load in front can notice
   */
  begin(scope: DrainScope, settings: DrainSettings, announceMs = 0): DrainStatus {
    const key = scopeKey(scope);
    const before = this.#running.get(key);
    clearTimeout(before?.timer);
    // One that has been announced already, and has begun, need not be announced again.
    const delayed = announceMs > 0 && (before?.startedAt ?? null) === null;
    const running: Running = {
      scope,
      total: this.#workers.count(scope),
      startedAt: null,
      finishedAt: null,
      timer: delayed ? setTimeout(() => this.#start(running, settings), announceMs).unref() : undefined,
    };
    this.#running.set(key, running);
    if (delayed) this.#log.info({ scope, announceMs }, 'drain is announced');
    else this.#start(running, settings);
    return this.#progressOf(running);
  }

  /** Lets the scope take new work again; false where it was not drained. */
  cancel(scope: DrainScope): boolean {
    const running = this.#running.get(scopeKey(scope));
    if (running === undefined) return false;
    this.#forget(running);
    this.#log.info({ scope }, 'drain ends: new work is taken again');
    return true;
  }

  /** Ends the drains of what is no more. */
  retain(exists: (scope: DrainScope) => boolean): void {
    for (const running of this.#running.values()) if (!exists(running.scope)) this.#forget(running);
  }

  /** Whether one of everything is in force, or announced. */
  get ofAll(): boolean {
    return this.#running.has(scopeKey({ kind: 'all' }));
  }

  get progress(): DrainStatus[] {
    return Array.from(this.#running.values(), (running) => this.#progressOf(running));
  }

  /** Says and begins nothing more. */
  stop(): void {
    this.#stopLooking();
    for (const { timer } of this.#running.values()) clearTimeout(timer);
  }

  #start(running: Running, settings: DrainSettings): void {
    const { scope } = running;
    const { rate, deadlineMs } = settings;
    running.startedAt = performance.now();
    running.total = this.#workers.count(scope);
    this.#log.info({ scope, connections: running.total, rate, deadlineMs }, 'drain begins');
    this.#workers.drain(scope, settings);
    this.#loggedAt = running.startedAt;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #forget({ scope, timer }: Running): void {
    clearTimeout(timer);
    this.#running.delete(scopeKey(scope));
    this.#workers.undrain(scope);
  }

  #look(): void {
    const now = performance.now();
    const tells = now - this.#loggedAt >= LOG_MS;
    let open = false;
    for (const running of this.#running.values()) {
      if (running.startedAt === null || running.finishedAt !== null) continue;
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
    if (!open) this.#stopLooking();
  }

  #stopLooking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #progressOf({ scope, total, startedAt, finishedAt }: Running): DrainStatus {
    const remaining = this.#workers.count(scope);
    const now = performance.now();
    const seconds = Math.round(((finishedAt ?? now) - (startedAt ?? now)) / 100) / 10;
    return { scope, total: Math.max(total, remaining), remaining, seconds };
  }
}
