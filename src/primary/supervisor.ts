import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Config } from '../config/types.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import { layoutOf } from '../protocol/stats-layout.ts';
import type { WorkerKind, WorkerStart } from '../protocol/to-worker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PageLayout } from '../telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../telemetry/stats-page.ts';
import { Deadline } from './deadline.ts';
import { WorkerSlot } from './worker-slot.ts';
import type { SlotTimings } from './worker-slot.ts';

export type WorkerFiles = Readonly<Record<WorkerKind, URL>>;

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
  readonly onEndpointFailed: (cluster: string, endpoint: string) => void;
  /** What is known of the endpoints when a worker starts. */
  readonly clusterStates: () => readonly ClusterState[];
  readonly workerFiles?: WorkerFiles;
  readonly timings?: SupervisorTimings;
}

const KINDS: readonly WorkerKind[] = ['l7', 'l4'];

const TIMINGS: SupervisorTimings = {
  startMs: 30_000,
  steadyMs: 60_000,
  backoff: { first: 100, most: 30_000 },
  drainSlackMs: 5_000,
};

/** The workers of this program: beside this file's room, with the ending that this file has itself. */
const WORKER_FILES: WorkerFiles = {
  l7: new URL(`../worker/l7${extname(import.meta.url)}`, import.meta.url),
  l4: new URL(`../worker/l4${extname(import.meta.url)}`, import.meta.url),
};

/** Starts the worker threads, keeps them running and ends them. */
export class Supervisor {
  readonly slots: readonly WorkerSlot[];
  readonly layout: PageLayout;
  /** One a worker, in the order of the slots. */
  readonly pages: readonly SharedArrayBuffer[];
  readonly #pools = new Map<WorkerKind, Piscina>();
  readonly #options: SupervisorOptions;
  readonly #timings: SupervisorTimings;
  readonly #overdue = new Deadline();
  readonly #secret = randomBytes(32).toString('base64url');
  #drained: Promise<boolean> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#timings = options.timings ?? TIMINGS;
    const { config } = options;
    const workers: { kind: WorkerKind; name: string }[] = [];
    for (const kind of KINDS) {
      if (!config.listeners.some(({ mode }) => mode === kind)) continue;
      for (let index = 0; index < config.workers[kind]; index++)
        workers.push({ kind, name: `${kind}-${index}` });
    }
    const names = workers.map(({ name }) => name);
    this.layout = layoutOf(config, names);
    this.pages = workers.map(() => allocatePage(this.layout));
    this.slots = workers.map(({ kind, name }, index) => this.#slot(kind, name, names, index));
  }

  /** Starts every worker; resolves when all listen, rejects with a StartError when one does not. */
  async start(): Promise<void> {
    if (this.#drained === null) this.#createPools();
    await Promise.all(this.slots.map((slot) => slot.start()));
  }

  /** Makes a worker throw; false where there is none of that name. */
  readonly fault = (name: string): boolean => {
    const slot = this.slots.find((candidate) => candidate.name === name);
    slot?.send({ type: 'fault' });
    return slot !== undefined;
  };

  /**
   * Ends all workers, giving their connections so many milliseconds. May be called again with fewer.
   *
   * @returns whether all have ended; if not, threads with open handles are left, and only a hard exit can end
   * the process in good order
   */
  drain(graceMs: number): Promise<boolean> {
    for (const slot of this.slots) slot.drain(graceMs);
    this.#overdue.shorten(graceMs + this.#timings.drainSlackMs);
    this.#drained ??= this.#finish();
    return this.#drained;
  }

  async #finish(): Promise<boolean> {
    const all = Promise.all(this.slots.map((slot) => slot.ended)).then(() => true);
    const ended = await Promise.race([all, this.#overdue.passed.then(() => false)]);
    this.#overdue.cancel();
    if (!ended) return false;
    // With no task left the threads have no uWS handles open and can be terminated.
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.destroy()));
    for (const slot of this.slots) slot.close();
    return true;
  }

  #createPools(): void {
    for (const kind of KINDS) {
      const count = this.slots.filter((slot) => slot.kind === kind).length;
      if (count === 0) continue;
      const pool = new Piscina({
        minThreads: count,
        maxThreads: count,
        idleTimeout: Infinity,
        // A thread between two tasks must turn its event loop, so that what the first left behind gets closed.
        atomics: 'disabled',
        recordTiming: false,
      });
      pool.on('error', (error) => this.#options.log.error({ err: error, kind }, 'worker thread failed'));
      this.#pools.set(kind, pool);
    }
  }

  #slot(kind: WorkerKind, name: string, workers: readonly string[], index: number): WorkerSlot {
    const { config, generation, log, workerFiles = WORKER_FILES } = this.#options;
    const { onLines, onEndpointFailed, clusterStates } = this.#options;
    const filename = fileURLToPath(workerFiles[kind]);
    return new WorkerSlot({
      kind,
      name,
      generation,
      page: new StatsPage(this.pages[index]!, this.layout),
      timings: this.#timings,
      log,
      onLines,
      onEndpointFailed,
      serve: (port) => {
        const start: WorkerStart = {
          kind,
          name,
          generation,
          config,
          workers,
          pages: this.pages,
          page: index,
          clusters: clusterStates(),
          secret: this.#secret,
          port,
        };
        // The file is named here and not for the pool: a file that cannot be loaded then fails its task, and
        // not the thread.
        return this.#pools.get(kind)!.run(start, { filename, name: 'default', transferList: [port] });
      },
    });
  }
}
