import { randomBytes } from 'node:crypto';
import type { Config, DrainSettings } from '../config/types.ts';
import { StartError, messageOf } from '../core/errors.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import type { EndpointFailure } from '../protocol/from-worker.ts';
import { layoutOf } from '../protocol/stats-layout.ts';
import {
  scopeKey,
  type DrainScope,
  type Generation,
  type Heirs,
  type Pace,
  type WorkerKind,
} from '../protocol/to-worker.ts';
import { pageMetrics, threadMetrics } from '../telemetry/names.ts';
import { PageSums } from '../telemetry/page-sums.ts';
import type { Series } from '../telemetry/page-layout.ts';
import { SeriesDirectory } from '../telemetry/series-directory.ts';
import type { Logger } from '../telemetry/logger.ts';
import { allocatePage, clearGauges } from '../telemetry/stats-page.ts';
import { Deadline } from './deadline.ts';
import { WorkerSlot } from './worker-slot.ts';
import type { SlotTimings } from './worker-slot.ts';
import { WorkerThreads, type WorkerFiles } from './worker-threads.ts';

export interface SupervisorTimings extends SlotTimings {
  /** How long after the end of the grace a drain may still take, in milliseconds. */
  readonly drainSlackMs: number;
}

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
  /** The series of an endpoint, given by its label; null where there is none. */
  readonly endpointSeries: (cluster: string, endpoint: string) => string | null;
  readonly workerFiles?: WorkerFiles;
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

const KINDS: readonly WorkerKind[] = ['l7', 'l4'];

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
  readonly directory: SeriesDirectory;
  readonly sums: PageSums;
  readonly #threads: WorkerThreads;
  readonly #options: SupervisorOptions;
  readonly #timings: SupervisorTimings;
  readonly #overdue = new Deadline();
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #listenLock = new SharedArrayBuffer(4);
  /** What is drained, by its key. */
  readonly #drained = new Map<string, DrainScope>();
  #current: Omit<Generation, 'clusters'>;
  #slots: readonly WorkerSlot[];
  /** Workers that drain because others have taken their places, or because there are to be fewer. */
  readonly #leaving = new Set<WorkerSlot>();
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
    this.directory = new SeriesDirectory(seriesOf(config));
    this.sums = new PageSums(this.directory, []);
    this.#current = { config, generation, series: this.directory.table };
    this.#slots = namesOf(config).map(({ kind, name }) => this.#createSlot(kind, name));
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

  /** Starts every worker; resolves when all listen, rejects with a StartError when one does not. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  /** Makes a worker throw; false where there is none of that name. */
  readonly fault = (name: string): boolean => {
    const slot = this.#slots.find((candidate) => candidate.name === name);
    slot?.fault();
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
    const next = { config, generation, series: plan.table };
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
    await this.#retire(replaced, 'newest');
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
      fresh.drain({ graceMs: 0, pace: null, heirs: null });
      await this.#leave(fresh);
      throw error;
    }
    this.#arriving = null;
    this.#slots = this.#slots.map((other) => (other === slot ? fresh : other));
    this.#leaving.add(slot);
    return slot;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(change);
    this.#changes = done.catch(() => undefined);
    return done;
  }

  /** Sessions and tunnels of a scope that live now, and requests of an endpoint, in all workers or in one. */
  count(scope: DrainScope, page: SharedArrayBuffer | null = null): number {
    const values = page === null ? null : new Float64Array(page);
    let sum = 0;
    if (scope.kind === 'endpoint') {
      const { cluster, name } = scope;
      const endpoint = this.#options.endpointSeries(cluster, name);
      if (endpoint === null) return 0;
      const slot = this.directory.find(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
      if (slot === undefined) return 0;
      return values === null ? this.sums.at(slot) : values[slot]!;
    }
    for (const series of this.directory.visible()) {
      if (isConnectionOf(series, scope))
        sum += values === null ? this.sums.at(series.slot) : values[series.slot]!;
    }
    return sum;
  }

  /** Lets a scope take no new work, and ends what it has at a pace; a rate of 0 leaves that alone. */
  drain(scope: DrainScope, settings: DrainSettings): void {
    this.#drained.set(scopeKey(scope), scope);
    for (const slot of this.#slots) {
      const pace = settings.rate === 0 ? null : this.#pace(slot, scope, settings);
      slot.send({ type: 'drain', scope, pace });
    }
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
    let oldest = this.generation;
    // One that leaves has taken back what it wrote, and may write anything.
    if (this.#leaving.size > 0) return;
    for (const { name, page, state } of this.#slots) {
      if (state === 'waiting' || state === 'ended') continue;
      const slot = this.directory.slot(threadMetrics.oldestGeneration, { worker: name });
      oldest = Math.min(oldest, new Float64Array(page)[slot]!);
    }
    this.directory.release(oldest);
  }

  /**
   * Ends all workers, giving their connections so many milliseconds. May be called again with fewer.
   *
   * @returns whether all have ended; if not, threads with open handles are left, and only a hard exit can end
   * the process in good order
   */
  end({ graceMs, drain, heirs }: Ending): Promise<boolean> {
    const all: DrainScope = { kind: 'all' };
    const seconds = (graceMs * GRACE_SHARE) / 1000;
    for (const slot of this.#everyone()) {
      const pace =
        drain === null || graceMs === 0
          ? null
          : this.#pace(slot, all, {
              ...drain,
              rate: Math.max(drain.rate, this.count(all) / seconds),
              deadlineMs: graceMs,
            });
      slot.drain({ graceMs, pace, heirs });
    }
    this.#overdue.shorten(graceMs + this.#timings.drainSlackMs);
    this.#ended ??= this.#finish();
    return this.#ended;
  }

  async #finish(): Promise<boolean> {
    const slots = this.#everyone();
    const all = Promise.all(slots.map((slot) => slot.ended)).then(() => true);
    const ended = await Promise.race([all, this.#overdue.passed.then(() => false)]);
    this.#overdue.cancel();
    if (!ended) return false;
    // With no task left the threads have no uWS handles open and can be terminated.
    await this.#threads.close();
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
    const { log } = this.#options;
    await Promise.all(
      fresh.map((slot) =>
        // The configuration is in use whatever becomes of it, and it is tried again.
        slot.start().catch((error: unknown) => {
          log.error({ worker: slot.name, reason: messageOf(error) }, 'a new worker does not listen');
        }),
      ),
    );
    for (const slot of known.values()) void this.#retire(slot, 'siblings');
  }

  /** Drains a worker whose place another has, or which has none any more. */
  async #retire(slot: WorkerSlot, heirs: Heirs): Promise<void> {
    this.#leaving.add(slot);
    const { drain } = this.config;
    slot.drain({
      graceMs: drain.deadlineMs,
      pace: this.#pace(slot, { kind: 'all' }, drain),
      heirs: this.#slots.some(({ kind }) => kind === slot.kind) ? heirs : null,
    });
    await this.#leave(slot);
  }

  async #leave(slot: WorkerSlot): Promise<void> {
    await slot.ended;
    slot.close();
    this.#leaving.delete(slot);
    this.sums.remove(slot.page, this.directory.all());
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

  /** A worker's part of the rate is that of its connections, so that all are done at the same time. */
  #pace(slot: WorkerSlot, scope: DrainScope, { rate, deadlineMs, jitterMs }: DrainSettings): Pace {
    const total = this.count(scope);
    const own = this.count(scope, slot.page);
    const share = own > 0 && own <= total ? own / total : 1 / Math.max(1, this.#slots.length);
    return { rate: rate * share, deadlineMs, jitterMs };
  }

  #createSlot(kind: WorkerKind, name: string, restarts = 0, perseveres = false): WorkerSlot {
    const { log, onLines, onEndpointFailed, clusterStates } = this.#options;
    const page = allocatePage({ size: this.directory.capacity });
    this.sums.add(page);
    const slot: WorkerSlot = new WorkerSlot({
      kind,
      name,
      page,
      clearGauges: () => clearGauges(page, this.directory.all()),
      restarts,
      perseveres,
      timings: this.#timings,
      log,
      onLines,
      onEndpointFailed,
      serve: async (port) => {
        // It would never hear of what is being decided upon.
        await this.#deciding;
        slot.generation = this.generation;
        const pages = this.#everyone().map((other) => other.page);
        return this.#threads.run({
          ...this.#current,
          clusters: clusterStates(),
          secret: this.#secret,
          kind,
          name,
          pages: [page, ...pages.filter((other) => other !== page)],
          page: 0,
          drained: this.drained,
          listenLock: this.#listenLock,
          port,
        });
      },
    });
    return slot;
  }
}

function namesOf(config: Config): { kind: WorkerKind; name: string }[] {
  return KINDS.filter((kind) => config.listeners.some(({ mode }) => mode === kind)).flatMap((kind) =>
    Array.from({ length: config.workers[kind] }, (_, index) => ({ kind, name: `${kind}-${index}` })),
  );
}

function seriesOf(config: Config): readonly Series[] {
  return layoutOf(
    config,
    namesOf(config).map(({ name }) => name),
  ).series;
}

function isConnectionOf(
  { metric, labels }: Series,
  scope: Exclude<DrainScope, { kind: 'endpoint' }>,
): boolean {
  if (metric !== pageMetrics.sessionsActive && metric !== pageMetrics.tunnelsActive) return false;
  return scope.kind === 'all' || labels[scope.kind] === scope.name;
}
