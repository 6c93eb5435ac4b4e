import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DescriptorPlan } from '../../core/descriptor-limit.ts';
import type { Config, DrainSettings } from '../../config/types/config.ts';
import { StartError, messageOf } from '../../core/errors.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import {
  scopeKey,
  type DrainScope,
  type Generation,
  type Heirs,
  type ToWorker,
  type WorkerKind,
} from '../../protocol/to-worker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { PageSums } from '../../telemetry/page-sums.ts';
import type { SeriesDirectory } from '../../telemetry/series-directory.ts';
import { Deadline } from '../process/deadline.ts';
import { WorkerSlot } from './worker-slot.ts';
import type { SlotTimings } from './worker-slot.ts';
import { WorkerThreads, type WorkerFiles } from './worker-threads.ts';
import { LeftBehind } from './stuck/left-behind.ts';
import { lineWindowsOf } from './line-windows.ts';
import { ReplacementPolicy } from './stuck/replacement-policy.ts';
import { KINDS, WorkerPages, namesOf, seriesOf } from './worker-pages.ts';
import { WorkerWatch } from './stuck/worker-watch.ts';

export interface SupervisorTimings extends SlotTimings {
  /** How long after the end of the grace a drain may still take, in milliseconds. */
  readonly drainSlackMs: number;
}

/** What tests do to a worker. */
export type Harm = Extract<ToWorker, { type: 'fault' | 'freeze' }>;

interface SupervisorOptions {
  /** With concrete listener addresses. */
  readonly config: Config;
  readonly generation: number;
  readonly log: Logger;
  /** Takes the workers' finished log lines. */
  readonly onLines: (lines: string) => void;
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  /** What is known of the endpoints when a worker starts. */
  readonly clusterStates: () => readonly ClusterState[];
  /** What the descriptors of the process are for; null or left out for no limit. */
  readonly descriptorPlan?: DescriptorPlan | null;
  readonly workerFiles: WorkerFiles;
  readonly timings?: SupervisorTimings;
}

/** How all workers are to end. */
interface Ending {
  readonly graceMs: number;
  /** How fast sessions are ended; null for all at once. */
  readonly drain: DrainSettings | null;
  /** Who listens on the same addresses already. */
  readonly heirs: Heirs | null;
}

const TIMINGS: SupervisorTimings = {
  startMs: 30_000,
  steadyMs: 60_000,
  backoff: { first: 100, most: 30_000 },
  drainSlackMs: 5_000,
};

/** Of the grace, so much is for closing sessions, and the rest for what that takes. */
const GRACE_SHARE = 0.9;

/** Starts the worker threads, keeps them running, brings new configurations to them and ends them. */
export class Supervisor {
  readonly #pages: WorkerPages;
  readonly #threads: WorkerThreads;
  readonly #options: SupervisorOptions;
  readonly #timings: SupervisorTimings;
  /** Workers whose threads are stuck. */
  readonly leftBehind: LeftBehind;
  readonly #policy = new ReplacementPolicy();
  readonly #watch = new WorkerWatch({
    slots: () => [...this.#everyone(), ...this.leftBehind.slots],
    stuckAfterMs: () => this.config.workers.stuckAfterMs,
    onStuck: (slot, silentMs) => this.#stuck(slot, silentMs),
    onRecovered: (slot) => this.leftBehind.recover(slot),
  });
  readonly #overdue = new Deadline();
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #listenLock = new SharedArrayBuffer(4);
  /** What is drained, by its key. */
  readonly #drained = new Map<string, DrainScope>();
  #current: Omit<Generation, 'clusters'>;
  #slots: readonly WorkerSlot[];
  /** Workers that drain because others have taken their places, or because there are to be fewer. */
  readonly #leaving = new Set<WorkerSlot>();
  /** Stuck workers that have their places still, because too many threads are left behind. */
  readonly #unreplaced = new Set<WorkerSlot>();
  /** One that takes the place of another as soon as it listens. */
  #arriving: WorkerSlot | null = null;
  /** Settles when the changes that have been asked for are made: each comes after the one before. */
  #changes: Promise<unknown> = Promise.resolve();
  /** Settles when it has been decided which configuration new workers get. */
  #deciding: Promise<unknown> = Promise.resolve();
  #ended: Promise<boolean> | null = null;

  constructor(options: SupervisorOptions) {
    const { config, generation, log, workerFiles } = options;
    this.#options = options;
    this.#timings = options.timings ?? TIMINGS;
    this.#threads = new WorkerThreads(log, workerFiles);
    this.leftBehind = new LeftBehind(log);
    this.#pages = new WorkerPages(config);
    const lineWindows = lineWindowsOf(config);
    this.#current = { config, generation, series: this.directory.table, lineWindows };
    this.#slots = namesOf(config).map(({ kind, name }) => this.#createSlot(kind, name));
  }

  get directory(): SeriesDirectory {
    return this.#pages.directory;
  }

  get sums(): PageSums {
    return this.#pages.sums;
  }

  get slots(): readonly WorkerSlot[] {
    return this.#slots;
  }

  /** The workers that drain because others have taken their places. */
  get leaving(): readonly WorkerSlot[] {
    return [...this.#leaving];
  }

  get generation(): number {
    return this.#current.generation;
  }

  get config(): Config {
    return this.#current.config;
  }

  /** Why it does not serve as it should; null where it does, also while one of several workers is being replaced. */
  get problem(): string | null {
    for (const kind of KINDS) {
      const own = this.#slots.filter((slot) => slot.kind === kind);
      if (own.length > 0 && !own.some(({ state }) => state === 'up')) return `no ${kind} worker is up`;
    }
    const missing = this.#slots.filter((slot) => slot.startFailed || this.#unreplaced.has(slot));
    return missing.length === 0 ? null : `not up: ${missing.map(({ name }) => name).join(', ')}`;
  }

  /** Why only a new process can serve as it should; null where this one can mend itself. */
  get hopeless(): string | null {
    if (this.#unreplaced.size === 0 || this.#ended !== null) return null;
    const names = Array.from(this.#unreplaced, ({ name }) => name).join(', ');
    return `too many threads are left behind, not replaced: ${names}`;
  }

  /** Starts every worker; resolves when all listen, rejects with a StartError when one does not. */
  async start(): Promise<void> {
    this.#watch.start();
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  /** Makes a worker throw or freeze, for tests. Returns false if no worker has that name. */
  readonly harm = (name: string, harm: Harm): boolean => {
    const slot = this.#slots.find((candidate) => candidate.name === name);
    slot?.send(harm);
    return slot !== undefined;
  };

  /**
   * Brings a configuration to all workers, or to none where one of them cannot take it.
   *
   * @param onCommit called when all can, in the same turn in which they are told: nothing comes between
   * @throws StartError that says what is in the way, and nothing has changed
   */
  reload(
    config: Config,
    generation: number,
    clusters: readonly ClusterState[],
    onCommit: () => void,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const decision = this.#decide(config, generation, clusters, onCommit);
      this.#deciding = decision.catch(() => undefined);
      await decision;
      await this.#adjust();
    });
  }

  async #decide(
    config: Config,
    generation: number,
    clusters: readonly ClusterState[],
    onCommit: () => void,
  ): Promise<void> {
    this.releaseSeries();
    const plan = this.directory.plan(seriesOf(config), generation);
    if (plan === null) {
      throw new StartError('the statistics have no room for what is new: restart to bring it into force');
    }
    for (const [start, end] of plan.cleared) this.sums.clear(start, end);
    const lineWindows = lineWindowsOf(config, this.#current.lineWindows);
    const next = { config, generation, series: plan.table, lineWindows };
    const slots = this.#slots;
    const answers = await Promise.all(
      slots.map((slot) => slot.prepare({ type: 'prepare', ...next, clusters })),
    );
    const problem = answers.find((answer) => answer !== null) ?? null;
    const commit = problem === null;
    if (commit) {
      plan.commit();
      this.#current = next;
    }
    for (const slot of slots) slot.send({ type: 'settle', generation, commit });
    if (problem !== null) throw new StartError(problem);
    for (const slot of slots) slot.generation = generation;
    onCommit();
  }

  /** Puts a new worker in the place of one, which drains; resolves when the old one has ended. */
  async restart(name: string): Promise<boolean> {
    const replaced = await this.#inTurn(() => this.#replace(name));
    if (replaced === null) return false;
    if (replaced.state !== 'stuck') await this.#retire(replaced, 'newest');
    return true;
  }

  /** Starts a new worker in the place of one, which is returned. */
  async #replace(name: string): Promise<WorkerSlot | null> {
    const slot = this.#slots.find((candidate) => candidate.name === name);
    if (slot === undefined || this.#ended !== null) return null;
    const fresh = this.#createSlot(slot.kind, name, slot.restarts + 1);
    this.#arriving = fresh;
    this.#sendPages();
    try {
      await fresh.start();
    } catch (error) {
      this.#arriving = null;
      this.#leaving.add(fresh);
      fresh.drain({ graceMs: 0, pace: null, heirs: null });
      // It may be stuck, and changes that come later must not wait for it.
      void this.#leave(fresh);
      if (slot.state === 'stuck' || slot.state === 'ended') void this.#replaceStuck(slot);
      throw error;
    }
    this.#arriving = null;
    this.#unreplaced.delete(slot);
    this.#slots = this.#slots.map((other) => (other === slot ? fresh : other));
    if (slot.state !== 'stuck') this.#leaving.add(slot);
    return slot;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(change);
    this.#changes = done.catch(() => undefined);
    return done;
  }

  /** Sessions and tunnels of a scope that live now, and requests of an endpoint, in all workers. */
  count(scope: DrainScope, page: SharedArrayBuffer | null = null): number {
    return this.#pages.count(scope, page);
  }

  /** Lets a scope take no new work, and ends what it has at a pace; a rate of 0 leaves that alone. */
  drain(scope: DrainScope, settings: DrainSettings): void {
    this.#drained.set(scopeKey(scope), scope);
    const pace = settings.rate === 0 ? null : settings;
    const counted = this.#pages.slotsOf(scope);
    for (const slot of this.#slots) slot.send({ type: 'drain', scope, pace, counted });
  }

  undrain(scope: DrainScope): void {
    this.#drained.delete(scopeKey(scope));
    for (const slot of this.#slots) slot.send({ type: 'undrain', scope });
  }

  /** What is drained. */
  get drained(): readonly DrainScope[] {
    return [...this.#drained.values()];
  }

  /** Hides series that nobody writes any more. */
  releaseSeries(): void {
    this.directory.sweep(this.sums);
    let oldest = this.generation;
    // One that leaves has taken back what it wrote, and may write anything.
    if (this.#leaving.size > 0) return;
    for (const { name, page, state } of this.#slots) {
      if (state === 'waiting' || state === 'stuck' || state === 'ended') continue;
      oldest = Math.min(oldest, this.#pages.oldestGeneration(name, page));
    }
    this.directory.release(oldest);
  }

  /**
   * Ends all workers, giving their connections so many milliseconds. May be called again with fewer.
   *
   * @returns whether all have ended in time that are not stuck. If not, or if some are {@link leftBehind}, threads with
   * open handles are left, and only a hard exit can end the process in good order
   */
  end({ graceMs, drain, heirs }: Ending): Promise<boolean> {
    const seconds = (graceMs * GRACE_SHARE) / 1000;
    const slots = [...this.#everyone(), ...this.leftBehind.recovered];
    // Tunnels are not paced: they have the whole grace period, unless others have taken over.
    const ended = slots.filter(({ kind }) => kind === 'l7' || heirs !== null);
    const count = ended.reduce((sum, { page }) => sum + this.count({ kind: 'all' }, page), 0);
    const rate = Math.max(drain?.rate ?? 0, count / seconds);
    const pace = drain === null || graceMs === 0 ? null : { ...drain, rate, deadlineMs: graceMs };
    for (const slot of slots) slot.drain({ graceMs, pace, heirs });
    this.#overdue.shorten(graceMs + this.#timings.drainSlackMs);
    this.#ended ??= this.#finish();
    return this.#ended;
  }

  async #finish(): Promise<boolean> {
    const slots = this.#everyone();
    const all = Promise.all([
      ...slots.map((slot) => slot.gone),
      ...this.leftBehind.recovered.map((slot) => slot.ended),
    ]).then(() => true);
    const ended = await Promise.race([all, this.#overdue.passed.then(() => false)]);
    this.#overdue.cancel();
    this.#watch.stop();
    if (!ended) return false;
    // With no task left the threads have no uWS handles open and can be terminated.
    if (this.leftBehind.count === 0) await this.#threads.close();
    for (const slot of slots) slot.close();
    return true;
  }

  /** As many workers of each kind as the configuration wants. */
  async #adjust(): Promise<void> {
    const wanted = namesOf(this.config);
    const known = new Map(this.#slots.map((slot) => [slot.name, slot]));
    const fresh: WorkerSlot[] = [];
    this.#slots = wanted.map(({ kind, name }) => {
      const slot = known.get(name) ?? this.#createSlot(kind, name, 0, true);
      if (!known.delete(name)) fresh.push(slot);
      return slot;
    });
    if (fresh.length > 0) this.#sendPages();
    // The configuration is in use whatever becomes of them.
    await Promise.all(fresh.map((slot) => this.#startNew(slot)));
    for (const slot of known.values()) {
      if (!this.#unreplaced.delete(slot)) void this.#retire(slot, 'siblings');
    }
  }

  /** Starts a worker that is tried again where it fails. Resolves when it listens, has failed once, or is to end. */
  async #startNew(slot: WorkerSlot): Promise<void> {
    try {
      await slot.start();
    } catch (error) {
      if (this.#ended !== null || slot.state === 'draining' || slot.state === 'ended') return;
      const reason = messageOf(error);
      this.#options.log.error({ worker: slot.name, reason }, 'a new worker does not listen');
    }
  }

  /** A worker does not turn. Its addresses go to others, another takes its place, and nobody waits for it any more. */
  #stuck(slot: WorkerSlot, silentMs: number): void {
    const { log } = this.#options;
    const { drain } = this.config;
    const { name, kind } = slot;
    const hasSiblings = this.#slots.some(
      (other) => other !== slot && other.kind === kind && other.state === 'up',
    );
    // Without siblings it keeps its addresses for its replacement, also if it turns again soon.
    slot.abandon({ graceMs: drain.deadlineMs, pace: drain, heirs: hasSiblings ? null : 'siblings' });
    this.#leaving.delete(slot);
    const settle = this.#pages.abandon(slot.page);
    const leftBehind = this.leftBehind.count + 1;
    this.leftBehind.add(slot, {
      hasSiblings,
      replace: () => {
        log.error({ worker: name, silentMs: Math.round(silentMs), leftBehind }, 'worker is stuck');
        return this.#replaceStuck(slot);
      },
      onEnded: () => {
        settle();
        for (const waiting of [...this.#unreplaced]) void this.#replaceStuck(waiting);
      },
    });
    this.#sendPages();
  }

  /**
   * Gives the place of a stuck worker to another, if that is wanted and may be.
   *
   * @returns settles when the other listens or cannot; null if there is no replacement, or none soon
   */
  #replaceStuck(slot: WorkerSlot): Promise<void> | null {
    const wasUnreplaced = this.#unreplaced.delete(slot);
    const { name } = slot;
    if (!this.#slots.includes(slot) || this.#ended !== null) return null;
    if (this.#arriving?.name === name) return this.#arriving.listening;
    const { log } = this.#options;
    const count = this.leftBehind.countAgainst(slot);
    const delayMs = this.#policy.plan(name, performance.now(), count, this.config.workers.l7);
    if (delayMs === null) {
      this.#unreplaced.add(slot);
      if (wasUnreplaced) return null;
      log.error({ worker: name, leftBehind: count }, 'too many threads are left behind: restart the process');
      return null;
    }
    const fresh = this.#createSlot(slot.kind, name, slot.restarts + 1, true);
    this.#slots = this.#slots.map((other) => (other === slot ? fresh : other));
    log.info({ worker: name, startInMs: delayMs }, 'stuck worker is being replaced');
    if (delayMs === 0) return this.#startNew(fresh);
    void delay(delayMs, undefined, { ref: false }).then(() => this.#startNew(fresh));
    return null;
  }

  /** Drains a worker whose place another has, or which has none any more. */
  async #retire(slot: WorkerSlot, heirs: Heirs): Promise<void> {
    this.#leaving.add(slot);
    const { drain } = this.config;
    slot.drain({
      graceMs: drain.deadlineMs,
      pace: drain,
      heirs: this.#slots.some(({ kind }) => kind === slot.kind) ? heirs : null,
    });
    await this.#leave(slot);
  }

  async #leave(slot: WorkerSlot): Promise<void> {
    await slot.gone;
    if (slot.state === 'stuck') return;
    slot.close();
    this.#leaving.delete(slot);
    this.#pages.remove(slot.page);
    this.#sendPages();
  }

  #everyone(): WorkerSlot[] {
    const arriving = this.#arriving === null ? [] : [this.#arriving];
    return [...this.#slots, ...this.#leaving, ...arriving];
  }

  #sendPages(): void {
    const everyone = this.#everyone();
    const pages = everyone.map(({ page }) => page);
    for (const slot of everyone) slot.send({ type: 'pages', pages });
  }

  #createSlot(kind: WorkerKind, name: string, restarts = 0, perseveres = false): WorkerSlot {
    const { log, onLines, onEndpointFailed, clusterStates } = this.#options;
    const page = this.#pages.add();
    const slot: WorkerSlot = new WorkerSlot({
      kind,
      name,
      page,
      clearGauges: () => this.#pages.clearGauges(page),
      restarts,
      perseveres,
      timings: this.#timings,
      log,
      onLines,
      onEndpointFailed,
      onLate: (afterMs) => this.#stuck(slot, afterMs),
      serve: async ({ port, pulse, descriptors, signal }) => {
        // It would never hear of what is being decided upon.
        await this.#deciding;
        slot.generation = this.generation;
        const pages = this.#everyone().map((other) => other.page);
        const start = {
          ...this.#current,
          clusters: clusterStates(),
          secret: this.#secret,
          kind,
          name,
          pages: [page, ...pages.filter((other) => other !== page)],
          page: 0,
          drained: this.drained,
          listenLock: this.#listenLock,
          pulse: pulse.memory,
          descriptors,
          descriptorPlan: this.#options.descriptorPlan ?? null,
          port,
        };
        return this.#threads.run(start, signal);
      },
    });
    return slot;
  }
}
