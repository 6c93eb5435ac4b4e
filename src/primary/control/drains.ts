import type { Config, DrainSettings } from '../../config/types/config.ts';
import type { DrainStatus } from '../../protocol/admin/status.ts';
import { scopeKey, type DrainScope } from '../../protocol/to-worker.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** The workers' functions that drains use. */
interface DrainedWorkers {
  readonly config: Pick<Config, 'listeners'>;
  /** Counts the sessions and tunnels of a scope. For an endpoint, counts requests too. */
  count(scope: DrainScope): number;
  drain(scope: DrainScope, settings: DrainSettings): void;
  undrain(scope: DrainScope): void;
}

/** The clusters' functions that drains use. An endpoint's state includes whether it is drained. */
interface DrainedClusters {
  find(cluster: string): { find(label: string): DrainedEndpoint | undefined } | undefined;
}

interface DrainedEndpoint {
  setDraining(draining: boolean, reason: string): void;
}

interface Drain {
  readonly scope: DrainScope;
  /** Number of connections at the start of the drain. */
  total: number;
  /** Null while the drain is only announced. */
  startedAt: number | null;
  finishedAt: number | null;
  /** Starts an announced drain. */
  readonly timer: NodeJS.Timeout | undefined;
}

/** Interval between checks of the remaining connections. */
const POLL_MS = 200;
/** Interval between log lines about drains in progress. */
const LOG_MS = 5000;

/** Starts, tracks and ends drains. */
export class Drains {
  readonly #workers: DrainedWorkers;
  readonly #clusters: DrainedClusters;
  readonly #log: Logger;
  /** By {@link scopeKey}. */
  readonly #drains = new Map<string, Drain>();
  #timer: NodeJS.Timeout | undefined;
  #loggedAt = 0;

  constructor(workers: DrainedWorkers, clusters: DrainedClusters, log: Logger) {
    this.#workers = workers;
    this.#clusters = clusters;
    this.#log = log;
  }

  /** Whether the current configuration has the scope. */
  has(scope: DrainScope): boolean {
    switch (scope.kind) {
      case 'all':
        return true;
      case 'listener':
        return this.#workers.config.listeners.some(({ name }) => name === scope.name);
      case 'cluster':
        return this.#clusters.find(scope.name) !== undefined;
      case 'endpoint':
        return this.#endpoint(scope) !== undefined;
    }
  }

  /**
   * Starts a drain, or changes the settings of a drain in progress.
   *
   * @param announceMs time before the drain starts, so that load balancers in front can notice it
   */
  begin(scope: DrainScope, settings: DrainSettings, announceMs = 0): DrainStatus {
    const key = scopeKey(scope);
    const before = this.#drains.get(key);
    clearTimeout(before?.timer);
    // A drain in progress needs no announcement.
    const delayed = announceMs > 0 && (before?.startedAt ?? null) === null;
    const drain: Drain = {
      scope,
      total: this.#workers.count(scope),
      startedAt: null,
      finishedAt: null,
      timer: delayed ? setTimeout(() => this.#start(drain, settings), announceMs).unref() : undefined,
    };
    this.#drains.set(key, drain);
    if (delayed) this.#log.info({ scope, announceMs }, 'drain announced');
    else this.#start(drain, settings);
    return this.#progressOf(drain);
  }

  /** Lets the scope take new work again. Returns false if it was not drained. */
  cancel(scope: DrainScope): boolean {
    const drain = this.#drains.get(scopeKey(scope));
    if (drain === undefined) return false;
    this.#forget(drain);
    this.#log.info({ scope }, 'drain cancelled');
    return true;
  }

  /** Ends the drains of scopes that are no longer configured. */
  endUnknown(): void {
    for (const drain of this.#drains.values()) {
      const { scope } = drain;
      if (this.has(scope)) continue;
      this.#forget(drain);
      this.#log.info({ scope }, 'drain ended: the scope is no longer configured');
    }
  }

  /** Whether a drain of everything runs or is announced. */
  get ofAll(): boolean {
    return this.#drains.has(scopeKey({ kind: 'all' }));
  }

  get progress(): DrainStatus[] {
    return Array.from(this.#drains.values(), (drain) => this.#progressOf(drain));
  }

  /** Cancels announced drains, and stops logging progress. */
  stop(): void {
    this.#stopPolling();
    for (const { timer } of this.#drains.values()) clearTimeout(timer);
  }

  #start(drain: Drain, settings: DrainSettings): void {
    const { scope } = drain;
    const { rate, deadlineMs } = settings;
    drain.startedAt = performance.now();
    drain.total = this.#workers.count(scope);
    this.#log.info({ scope, connections: drain.total, rate, deadlineMs }, 'drain started');
    this.#endpoint(scope)?.setDraining(true, 'drained by an operator');
    this.#workers.drain(scope, settings);
    this.#loggedAt = drain.startedAt;
    this.#timer ??= setInterval(() => this.#poll(), POLL_MS).unref();
  }

  #forget({ scope, timer }: Drain): void {
    clearTimeout(timer);
    this.#drains.delete(scopeKey(scope));
    this.#endpoint(scope)?.setDraining(false, 'undrained by an operator');
    this.#workers.undrain(scope);
  }

  #endpoint(scope: DrainScope): DrainedEndpoint | undefined {
    return scope.kind === 'endpoint' ? this.#clusters.find(scope.cluster)?.find(scope.name) : undefined;
  }

  #poll(): void {
    const now = performance.now();
    const isLogDue = now - this.#loggedAt >= LOG_MS;
    let open = false;
    for (const drain of this.#drains.values()) {
      if (drain.startedAt === null || drain.finishedAt !== null) continue;
      const progress = this.#progressOf(drain);
      if (progress.remaining === 0) {
        drain.finishedAt = now;
        this.#log.info(progress, 'drained');
      } else {
        open = true;
        if (isLogDue) this.#log.info(progress, 'draining');
      }
    }
    if (isLogDue) this.#loggedAt = now;
    if (!open) this.#stopPolling();
  }

  #stopPolling(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #progressOf({ scope, total, startedAt, finishedAt }: Drain): DrainStatus {
    const remaining = this.#workers.count(scope);
    const now = performance.now();
    const seconds = Math.round(((finishedAt ?? now) - (startedAt ?? now)) / 100) / 10;
    return { scope, total: Math.max(total, remaining), remaining, seconds };
  }
}
