import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/types/config.ts';
import { StartError } from '../../core/errors.ts';
import type { ClusterRecord } from '../../protocol/cluster-record.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import { configChange, workerConfig, type WorkerConfig } from '../../protocol/config-change.ts';
import { blockChange } from '../../protocol/stats-layout.ts';
import type { GenerationChange, WorkerStart } from '../../protocol/to-worker.ts';
import { allocateLineWindow } from '../../telemetry/line-window.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../telemetry/metrics/page-shapes.ts';
import type { Block, SlotTable } from '../../telemetry/page-layout.ts';
import type { LimitTables } from '../limits/limit-tables.ts';
import type { TicketKeys } from '../tickets/ticket-keys.ts';
import type { ClusterRecords, EndpointSlots } from './cluster-records.ts';
import { layoutInputOf, type WorkerPages } from './worker-pages.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** State that belongs to a configuration. */
type GenerationFacts = Pick<WorkerStart, 'generation' | 'lineWindows' | 'ticketKeys' | 'limitTables'>;

/** A worker that changes to another configuration. */
type ChangingWorker = Pick<WorkerSlot, 'prepare' | 'settle' | 'generation'>;

/** The workers that may write series. */
interface WritingWorkers {
  readonly slots: readonly Pick<WorkerSlot, 'name' | 'page' | 'state'>[];
  readonly leaving: readonly unknown[];
}

/** The parts of a generation besides its configuration. */
interface GenerationParts {
  readonly pages: WorkerPages;
  readonly ticketKeys: TicketKeys;
  readonly limitTables: LimitTables;
  readonly records: ClusterRecords;
}

interface Change {
  readonly config: Config;
  readonly clusters: readonly ClusterState[];
  readonly workers: readonly ChangingWorker[];
  /** Called in the turn in which the workers receive the commit. */
  readonly onCommit: () => void;
}

/** The current generation. A change applies to all workers or to none. */
export class CurrentGeneration {
  readonly #pages: WorkerPages;
  readonly #ticketKeys: TicketKeys;
  readonly #limitTables: LimitTables;
  readonly #records: ClusterRecords;
  #config: Config;
  #facts: GenerationFacts;
  #decided: Promise<unknown> = Promise.resolve();

  constructor(config: Config, generation: number, parts: GenerationParts) {
    const { pages, ticketKeys, limitTables, records } = parts;
    this.#pages = pages;
    this.#ticketKeys = ticketKeys;
    this.#limitTables = limitTables;
    this.#records = records;
    this.#config = config;
    this.#facts = {
      generation,
      lineWindows: lineWindowsOf(config),
      ticketKeys: ticketKeys.memories,
      limitTables: limitTables.memories,
    };
  }

  /** State for a worker that starts, besides the configuration. */
  get facts(): GenerationFacts {
    return this.#facts;
  }

  get config(): Config {
    return this.#config;
  }

  /** The configuration in the form for workers. */
  get workerConfig(): WorkerConfig {
    return workerConfig(this.#config);
  }

  /** Number of the generation. Each change adds 1. */
  get number(): number {
    return this.#facts.generation;
  }

  /** Resolves when no change is pending. A worker that starts during a change would miss the commit. */
  get decided(): Promise<unknown> {
    return this.#decided;
  }

  /**
   * Applies a configuration to all workers, or to none.
   *
   * @throws StartError if a worker refuses it, or the stats pages are full. Nothing has changed then
   */
  change(change: Change): Promise<void> {
    const decision = this.#decide(change);
    this.#decided = decision.catch(() => undefined);
    return decision;
  }

  async #decide({ config, clusters, workers, onCommit }: Change): Promise<void> {
    const { directory, sums } = this.#pages;
    const before = this.#config;
    const generation = this.number + 1;
    const plan = directory.plan(blockChange(layoutInputOf(before), layoutInputOf(config)), generation);
    if (plan === null) {
      throw new StartError('the stats pages are full: restart to apply the configuration');
    }
    for (const [start, end] of plan.cleared) sums.clear(start, end);
    const keyPlan = this.#ticketKeys.plan(config.listeners);
    const limitPlan = this.#limitTables.plan(config.listeners);
    const facts: GenerationFacts = {
      generation,
      lineWindows: lineWindowsOf(config, this.#facts.lineWindows),
      ticketKeys: keyPlan.memories,
      limitTables: limitPlan.memories,
    };
    const { arriving, leaving } = plan;
    const command: GenerationChange = {
      ...facts,
      config: configChange(withoutClusters(before), withoutClusters(config)),
      series: { arriving: withoutEndpoints(arriving), leaving },
      clusters: this.#clusterChange(config, clusters, (cluster, endpoint) => {
        const labels = { cluster, endpoint };
        const block = arriving.get(pageShapes.endpoint.keyOf(labels));
        return block?.slot ?? directory.slot(pageMetrics.endpointConnectionsActive, labels);
      }),
    };
    const answers = await Promise.all(
      workers.map((worker) => worker.prepare({ type: 'prepare', ...command })),
    );
    const problem = answers.find((answer) => answer !== null) ?? null;
    const commit = problem === null;
    if (commit) {
      plan.commit();
      keyPlan.commit();
      limitPlan.commit();
      this.#config = config;
      this.#facts = facts;
    }
    const settled = workers.map((worker) => worker.settle({ type: 'settle', generation, commit }));
    if (problem !== null) throw new StartError(problem);
    for (const worker of workers) worker.generation = generation;
    onCommit();
    // The caller may rely on the change at once.
    await Promise.all(settled);
  }

  /** Lists clusters that are new, changed or removed. Monitors publish all other changes of clusters. */
  #clusterChange(
    config: Config,
    states: readonly ClusterState[],
    slots: EndpointSlots,
  ): GenerationChange['clusters'] {
    const same = new Set(this.#config.clusters);
    const others = config.clusters.filter((cluster) => !same.delete(cluster));
    // Clusters that remain in `same` have changed or are gone, unless the configurations were never compared.
    const old = new Map(Array.from(same, (cluster) => [cluster.name, cluster]));
    const stateOf = new Map<string, ClusterState>();
    if (others.length > 0) for (const state of states) stateOf.set(state.cluster, state);
    const changed: ClusterRecord[] = [];
    for (const cluster of others) {
      const { name } = cluster;
      const known = old.get(name);
      old.delete(name);
      if (isDeepStrictEqual(known, cluster)) continue;
      changed.push(this.#records.of(cluster, stateOf.get(name)!, slots));
    }
    return { changed, removed: [...old.keys()] };
  }

  /** Hides the series that no worker writes any more, and frees their slots. */
  releaseSeries({ slots, leaving }: WritingWorkers): void {
    const { directory, sums } = this.#pages;
    directory.sweep(sums);
    // Leaving workers do not report their oldest generation, and may write any series.
    if (leaving.length > 0) return;
    let oldest = this.number;
    for (const { name, page, state } of slots) {
      if (state === 'waiting' || state === 'stuck' || state === 'ended') continue;
      oldest = Math.min(oldest, this.#pages.oldestGeneration(name, page));
    }
    directory.release(oldest);
  }
}

/**
 * Allocates shared memory for the rate limits of log lines that clients of a listener can provoke.
 *
 * @param known current windows. A listener that stays keeps its window
 */
function lineWindowsOf(
  { listeners }: Config,
  known: ReadonlyMap<string, SharedArrayBuffer> = new Map(),
): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(listeners.map(({ name }) => [name, known.get(name) ?? allocateLineWindow()]));
}

function withoutClusters({ clusters, ...config }: Config): WorkerConfig {
  return config;
}

/** Returns the slots of blocks, except those of endpoints, which travel in the cluster records. */
function withoutEndpoints(blocks: ReadonlyMap<string, Block>): SlotTable {
  const table = new Map<string, number>();
  for (const [key, { shape, slot }] of blocks) if (shape !== pageShapes.endpoint) table.set(key, slot);
  return table;
}
