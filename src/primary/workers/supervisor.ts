import type { Config, DrainSettings } from '../../config/types/config.ts';
import type { DescriptorPlan } from '../../core/descriptor-limit.ts';
import { messageOf } from '../../core/errors.ts';
import type { ClusterRecord } from '../../protocol/cluster-record.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import type { TelemetryListener } from '../../protocol/telemetry-report.ts';
import type { TapOrder } from '../../protocol/tap.ts';
import type { DrainScope, Successors, ToWorker } from '../../protocol/to-worker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { PageSums } from '../../telemetry/page-sums.ts';
import type { SeriesDirectory } from '../../telemetry/series-directory.ts';
import type { Broadcast } from './broadcast.ts';
import type { ClientService } from './client-service.ts';
import type { CurrentGeneration } from './current-generation.ts';
import { Deadline, paceOf, type Ending } from './ending.ts';
import { SlotFactory, type Threads } from './slot-factory.ts';
import type { SlotTimings } from './slot-timings.ts';
import type { LeftBehind } from './stuck/left-behind.ts';
import { StuckWorkers } from './stuck/stuck-workers.ts';
import { KINDS, namesOf, type WorkerPages } from './worker-pages.ts';
import type { WorkerRoster } from './worker-roster.ts';
import type { WorkerSlot } from './worker-slot.ts';

export interface SupervisorTimings extends SlotTimings {
  /** Max milliseconds that a drain may take after the grace period. */
  readonly drainSlackMs: number;
}

/** A fault that tests inject into a worker. */
export type InjectedFault = Extract<ToWorker, { type: 'fault' | 'freeze' }>;

interface SupervisorOptions {
  readonly roster: WorkerRoster;
  readonly pages: WorkerPages;
  /** The generation in force. Each of its listeners has a concrete address. */
  readonly currentGeneration: CurrentGeneration;
  readonly broadcast: Broadcast;
  readonly threads: Threads;
  readonly log: Logger;
  /** Receives the workers' log lines, events, spans and lines of taps. */
  readonly onTelemetry: TelemetryListener;
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  readonly clientService: ClientService;
  /** Returns the running taps, for a worker that starts. */
  readonly tapOrders?: () => readonly TapOrder[];
  /** Returns the current clusters, for a worker that starts. */
  readonly clusterRecords: () => readonly ClusterRecord[];
  /** How the process divides its descriptors; null or omitted for no limit. */
  readonly descriptorPlan?: DescriptorPlan | null;
  readonly timings?: SupervisorTimings;
}

/**
 * `firstStartMs`: on a busy machine, threads need minutes to load their code. A service manager can end a
 * slow start sooner (systemd does after 90 s by default). Without one, a late start is better than none.
 */
const TIMINGS: SupervisorTimings = {
  startMs: 30_000,
  firstStartMs: 300_000,
  steadyMs: 60_000,
  backoff: { firstMs: 100, maxMs: 30_000 },
  drainSlackMs: 5_000,
};

/** Starts the workers, keeps them running, applies new configurations to them, and ends them. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #roster: WorkerRoster;
  readonly #pages: WorkerPages;
  readonly #currentGeneration: CurrentGeneration;
  readonly #broadcast: Broadcast;
  readonly #factory: SlotFactory;
  readonly #stuck: StuckWorkers;
  readonly #timings: SupervisorTimings;
  readonly #overdue = new Deadline();
  /** Settles when all changes so far are done. Each change waits for the previous one. */
  #changes: Promise<unknown> = Promise.resolve();
  #ended: Promise<boolean> | null = null;

  constructor(options: SupervisorOptions) {
    const { roster, pages, currentGeneration, broadcast, threads, log, descriptorPlan = null } = options;
    const { onTelemetry, onEndpointFailed, clientService, clusterRecords, timings = TIMINGS } = options;
    const { tapOrders = () => [] } = options;
    this.#options = options;
    this.#roster = roster;
    this.#pages = pages;
    this.#currentGeneration = currentGeneration;
    this.#broadcast = broadcast;
    this.#timings = timings;
    const factory = (this.#factory = new SlotFactory({
      roster,
      pages,
      currentGeneration,
      broadcast,
      threads,
      timings,
      log,
      onTelemetry,
      onEndpointFailed,
      clientService,
      tapOrders,
      clusterRecords,
      descriptorPlan,
      onLate: (slot, afterMs) => this.#stuck.add(slot, afterMs),
    }));
    const start = (slot: WorkerSlot): Promise<void> => this.#startNew(slot);
    this.#stuck = new StuckWorkers({ roster, pages, currentGeneration, broadcast, factory, start, log });
    roster.slots = namesOf(currentGeneration.config).map(({ kind, name }) => factory.create(kind, name));
  }

  get directory(): SeriesDirectory {
    return this.#pages.directory;
  }

  get sums(): PageSums {
    return this.#pages.sums;
  }

  get slots(): readonly WorkerSlot[] {
    return this.#roster.slots;
  }

  /** Workers that drain because others replace them, or the configuration wants fewer. */
  get leaving(): readonly WorkerSlot[] {
    return this.#roster.leaving;
  }

  /** Workers whose threads are stuck. */
  get leftBehind(): LeftBehind {
    return this.#stuck.leftBehind;
  }

  get generation(): number {
    return this.#currentGeneration.number;
  }

  get config(): Config {
    return this.#currentGeneration.config;
  }

  /**
   * Why the workers do not serve fully. Null if they do, or while only one of several workers is being
   * replaced.
   */
  get problem(): string | null {
    const { slots } = this.#roster;
    for (const kind of KINDS) {
      const own = slots.filter((slot) => slot.kind === kind);
      if (own.length > 0 && !own.some(({ state }) => state === 'up')) return `no ${kind} worker is up`;
    }
    const missing = slots.filter((slot) => slot.startFailed || this.#stuck.isUnreplaced(slot));
    return missing.length === 0 ? null : `not up: ${missing.map(({ name }) => name).join(', ')}`;
  }

  /** Why only a new process can restore full service; null if this process can recover. */
  get unrecoverable(): string | null {
    return this.#stuck.unrecoverable;
  }

  /** Starts all workers. Resolves when all listen. @throws StartError if one does not */
  async start(): Promise<void> {
    this.#stuck.start();
    await Promise.all(this.slots.map((slot) => slot.start()));
  }

  /** Makes a worker throw or freeze, for tests. Returns false if no worker has that name. */
  readonly injectFault = (name: string, harm: InjectedFault): boolean => {
    const slot = this.#find(name);
    slot?.send(harm);
    return slot !== undefined;
  };

  /**
   * Counts the sessions and tunnels of a scope, in all workers or in one. For an endpoint, counts requests
   * too.
   */
  count(scope: DrainScope, page: SharedArrayBuffer | null = null): number {
    return this.#pages.count(scope, page);
  }

  drain(scope: DrainScope, settings: DrainSettings): void {
    this.#broadcast.drain(scope, settings);
  }

  undrain(scope: DrainScope): void {
    this.#broadcast.undrain(scope);
  }

  releaseSeries(): void {
    this.#currentGeneration.releaseSeries(this.#roster);
  }

  /**
   * Applies a configuration to all workers, or to none if one of them refuses it.
   *
   * @param onCommit called once all workers accept, in the turn of the loop that sends them the commit
   * @throws StartError with the problem. Nothing has changed then
   */
  reload(config: Config, clusters: readonly ClusterState[], onCommit: () => void): Promise<void> {
    return this.#inTurn(async () => {
      this.releaseSeries();
      await this.#currentGeneration.change({ config, clusters, workers: this.slots, onCommit });
      await this.#adjustNumber();
    });
  }

  /**
   * Replaces a worker. Resolves when the old one has ended.
   *
   * @returns false if no worker has that name, or all workers are ending
   * @throws StartError if the new worker does not listen. The old one stays
   */
  async restart(name: string): Promise<boolean> {
    const replaced = await this.#inTurn(() => this.#replace(name));
    if (replaced === null) return false;
    if (replaced.state !== 'stuck') await this.#retire(replaced, 'newest');
    return true;
  }

  /**
   * Ends all workers after a grace period for their connections. Can be called again with a shorter period.
   *
   * @returns whether all workers except stuck ones ended in time. If not, or if any are {@link leftBehind},
   * threads with open handles remain. Only a hard exit can then end the process cleanly
   */
  end(ending: Ending): Promise<boolean> {
    const { graceMs, successors } = ending;
    const slots = [...this.#roster.everyone, ...this.leftBehind.recovered];
    const counts = slots.map(({ page }) => this.#pages.carriedBy(page));
    const pace = paceOf(ending, counts);
    for (const slot of slots) slot.drain({ graceMs, pace, successors });
    this.#overdue.shorten(graceMs + this.#timings.drainSlackMs);
    this.#stuck.stopReplacing();
    this.#ended ??= this.#finish();
    return this.#ended;
  }

  async #finish(): Promise<boolean> {
    const slots = this.#roster.everyone;
    const all = Promise.all([
      ...slots.map((slot) => slot.endedOrStuck),
      ...this.leftBehind.recovered.map((slot) => slot.ended),
    ]).then(() => true);
    const ended = await Promise.race([all, this.#overdue.passed.then(() => false)]);
    this.#overdue.cancel();
    this.#stuck.stop();
    if (!ended) return false;
    // Threads without a task have no open native handles, so terminating them is safe.
    if (this.leftBehind.count === 0) await this.#options.threads.close();
    for (const slot of slots) slot.close();
    return true;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(change);
    this.#changes = done.catch(() => undefined);
    return done;
  }

  #find(name: string): WorkerSlot | undefined {
    return this.slots.find((slot) => slot.name === name);
  }

  /** Replaces a worker by a new one. Returns the old worker. */
  async #replace(name: string): Promise<WorkerSlot | null> {
    const slot = this.#find(name);
    if (slot === undefined || this.#ended !== null) return null;
    const roster = this.#roster;
    const fresh = this.#factory.create(slot.kind, name, { restarts: slot.restarts + 1 });
    roster.arrive(fresh);
    this.#broadcast.sendPages();
    try {
      await fresh.start();
    } catch (error) {
      roster.failArrival();
      roster.addLeaving(fresh);
      fresh.drain({ graceMs: 0, pace: null, successors: null });
      // Later changes do not wait for the new worker: it may be stuck.
      void this.#leave(fresh);
      if (slot.state === 'stuck' || slot.state === 'ended') void this.#stuck.replace(slot);
      throw error;
    }
    this.#stuck.forget(slot);
    roster.replace(slot, fresh);
    if (slot.state !== 'stuck') roster.addLeaving(slot);
    return slot;
  }

  /** Adjusts the number of workers of each kind to the configuration. */
  async #adjustNumber(): Promise<void> {
    const known = new Map(this.slots.map((slot) => [slot.name, slot]));
    const fresh: WorkerSlot[] = [];
    this.#roster.slots = namesOf(this.config).map(({ kind, name }) => {
      const slot = known.get(name) ?? this.#factory.create(kind, name, { retriesStart: true });
      if (!known.delete(name)) fresh.push(slot);
      return slot;
    });
    if (fresh.length > 0) this.#broadcast.sendPages();
    // The configuration is in force even if the new workers fail to start.
    await Promise.all(fresh.map((slot) => this.#startNew(slot)));
    for (const slot of known.values()) {
      if (!this.#stuck.forget(slot)) void this.#retire(slot, 'siblings');
    }
  }

  /** Starts a worker that retries a failed start. Resolves when it listens, has failed once, or must end. */
  async #startNew(slot: WorkerSlot): Promise<void> {
    try {
      await slot.start();
    } catch (error) {
      if (this.#ended !== null || slot.state === 'draining' || slot.state === 'ended') return;
      const reason = messageOf(error);
      this.#options.log.error({ worker: slot.name, reason }, 'new worker does not listen');
    }
  }

  /** Drains a worker that was replaced or is no longer configured. Resolves when it has ended. */
  async #retire(slot: WorkerSlot, successors: Successors): Promise<void> {
    this.#roster.addLeaving(slot);
    const { drain } = this.config;
    slot.drain({
      graceMs: drain.deadlineMs,
      pace: drain,
      successors: this.slots.some(({ kind }) => kind === slot.kind) ? successors : null,
    });
    await this.#leave(slot);
  }

  async #leave(slot: WorkerSlot): Promise<void> {
    await slot.endedOrStuck;
    if (slot.state === 'stuck') return;
    slot.close();
    this.#roster.removeLeaving(slot);
    this.#pages.remove(slot.page);
    this.#broadcast.sendPages();
  }
}
