import type { Config } from '../../config/types/config.ts';
import { StartError } from '../../core/errors.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { Generation } from '../../protocol/to-worker.ts';
import { allocateLineWindow } from '../../telemetry/line-window.ts';
import type { LimitTables } from '../limits/limit-tables.ts';
import type { TicketKeys } from '../tickets/ticket-keys.ts';
import { blocksOf, type WorkerPages } from './worker-pages.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** A configuration with what belongs to it, apart from the clusters: their state changes all the time. */
type GenerationFacts = Omit<Generation, 'clusters'>;

/** A worker that gets ready for a configuration. */
type ChangingWorker = Pick<WorkerSlot, 'prepare' | 'settle' | 'generation'>;

/** The workers that write series. */
interface WritingWorkers {
  readonly slots: readonly Pick<WorkerSlot, 'name' | 'page' | 'state'>[];
  readonly leaving: readonly unknown[];
}

/** What a generation is made of besides its configuration. */
interface GenerationParts {
  readonly pages: WorkerPages;
  readonly ticketKeys: TicketKeys;
  readonly limitTables: LimitTables;
}

interface GenerationChange {
  readonly config: Config;
  readonly clusters: readonly ClusterState[];
  readonly workers: readonly ChangingWorker[];
  /** Called in the turn in which the workers are told to commit. */
  readonly onCommit: () => void;
}

/** The generation in use, and its change: in all workers or in none. */
export class CurrentGeneration {
  readonly #pages: WorkerPages;
  readonly #ticketKeys: TicketKeys;
  readonly #limitTables: LimitTables;
  #current: GenerationFacts;
  #decided: Promise<unknown> = Promise.resolve();

  constructor(config: Config, generation: number, { pages, ticketKeys, limitTables }: GenerationParts) {
    this.#pages = pages;
    this.#ticketKeys = ticketKeys;
    this.#limitTables = limitTables;
    const series = pages.directory.table;
    const lineWindows = lineWindowsOf(config);
    this.#current = {
      config,
      generation,
      series,
      lineWindows,
      ticketKeys: ticketKeys.memories,
      limitTables: limitTables.memories,
    };
  }

  get facts(): GenerationFacts {
    return this.#current;
  }

  get config(): Config {
    return this.#current.config;
  }

  /** Each change adds 1. */
  get number(): number {
    return this.#current.generation;
  }

  /** Resolves when no change is being decided: a worker that starts meanwhile would never hear of the decision. */
  get decided(): Promise<unknown> {
    return this.#decided;
  }

  /**
   * Brings a configuration into force in all workers, or in none.
   *
   * @throws StartError if a worker cannot use it, or the stats pages have no room; nothing has changed then
   */
  change(change: GenerationChange): Promise<void> {
    const decision = this.#decide(change);
    this.#decided = decision.catch(() => undefined);
    return decision;
  }

  async #decide({ config, clusters, workers, onCommit }: GenerationChange): Promise<void> {
    const { directory, sums } = this.#pages;
    const generation = this.number + 1;
    const plan = directory.plan(blocksOf(config), generation);
    if (plan === null) {
      throw new StartError('the statistics have no room for what is new: restart to bring it into force');
    }
    for (const [start, end] of plan.cleared) sums.clear(start, end);
    const lineWindows = lineWindowsOf(config, this.#current.lineWindows);
    const keyPlan = this.#ticketKeys.plan(config.listeners);
    const limitPlan = this.#limitTables.plan(config.listeners);
    const next = {
      config,
      generation,
      series: plan.table,
      lineWindows,
      ticketKeys: keyPlan.memories,
      limitTables: limitPlan.memories,
    };
    const answers = await Promise.all(
      workers.map((worker) => worker.prepare({ type: 'prepare', ...next, clusters })),
    );
    const problem = answers.find((answer) => answer !== null) ?? null;
    const commit = problem === null;
    if (commit) {
      plan.commit();
      keyPlan.commit();
      limitPlan.commit();
      this.#current = next;
    }
    const settled = workers.map((worker) => worker.settle({ type: 'settle', generation, commit }));
    if (problem !== null) throw new StartError(problem);
    for (const worker of workers) worker.generation = generation;
    onCommit();
    // Whoever asked for the change may rely on it at once.
    await Promise.all(settled);
  }

  /** Hides the series that no worker writes any more, and frees their slots. */
  releaseSeries({ slots, leaving }: WritingWorkers): void {
    const { directory, sums } = this.#pages;
    directory.sweep(sums);
    // A leaving worker no longer says what its oldest generation is, and may write any series.
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
 * Allocates the memory by which workers bound the log lines that clients of a listener can provoke.
 *
 * @param known the windows in use: a listener that stays keeps its own
 */
function lineWindowsOf(
  { listeners }: Config,
  known: ReadonlyMap<string, SharedArrayBuffer> = new Map(),
): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(listeners.map(({ name }) => [name, known.get(name) ?? allocateLineWindow()]));
}
