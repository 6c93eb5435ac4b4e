import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Pulse } from '../../protocol/pulse.ts';
import type { WorkerKind, WorkerStart } from '../../protocol/to-worker.ts';
import { reclaimDescriptors } from '../../sys/sockets/reclaim.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** The modules that worker threads run, each with the task as its default export. */
export type WorkerFiles = Readonly<Record<WorkerKind, URL>>;

/** Max threads of a kind. Each worker may have a successor while it drains. */
const MAX_THREADS = 1024;
/**
 * V8's young generation, in MB: semi-spaces of 8 MB, as large as a warm-up lets them grow. Reloads would double them, and V8 does
 * not give the memory back.
 */
const MAX_YOUNG_MB = 24;
/** How long a thread without a task is kept: native handles close meanwhile, and the next worker may use the thread. */
const IDLE_TIMEOUT_MS = 5000;

/** Runs the workers' tasks on threads, which it starts on demand. */
export class WorkerThreads {
  readonly #pools = new Map<WorkerKind, Piscina>();
  readonly #files: WorkerFiles;
  readonly #log: Logger;

  constructor(log: Logger, files: WorkerFiles) {
    this.#log = log;
    this.#files = files;
  }

  /**
   * Runs a worker's task; settles when it has ended.
   *
   * @param signal terminates the thread, which must have no native handles; the task has ended when the thread has, and
   * the descriptors that it left open are closed
   */
  async run(start: WorkerStart, signal: AbortSignal): Promise<unknown> {
    const { kind, port } = start;
    // The file is an option of the task, not of the pool: a file that cannot be loaded then fails its task only.
    const filename = fileURLToPath(this.#files[kind]);
    const pool = this.#pool(kind);
    let exit: Promise<void> | null = null;
    // Runs before the pool's own listener, which forgets the thread.
    const onAbort = (): void => {
      exit = exitOf(pool, new Pulse(start.pulse).thread);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await pool.run(start, { filename, name: 'default', transferList: [port], signal });
    } finally {
      await this.#reclaim(start, exit);
    }
  }

  async #reclaim({ name, descriptors }: WorkerStart, exit: Promise<void> | null): Promise<void> {
    if (exit === null) return;
    await exit;
    const closed = reclaimDescriptors(descriptors);
    this.#log.info({ worker: name, descriptors: closed }, 'worker thread has been terminated');
  }

  /** Ends all threads; none may have a task, because open native handles abort the process. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.destroy()));
  }

  #pool(kind: WorkerKind): Piscina {
    let pool = this.#pools.get(kind);
    if (pool === undefined) {
      pool = new Piscina({
        minThreads: 0,
        maxThreads: MAX_THREADS,
        idleTimeout: IDLE_TIMEOUT_MS,
        // A thread between two tasks must turn its event loop, so that handles of the first task get closed.
        atomics: 'disabled',
        recordTiming: false,
        resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MB },
      });
      pool.on('error', (error: unknown) => this.#log.error({ err: error, kind }, 'worker thread failed'));
      this.#pools.set(kind, pool);
    }
    return pool;
  }
}

/** Resolves when a thread of the pool has exited; at once if the pool has no thread of this id. */
function exitOf(pool: Piscina, id: number): Promise<void> {
  const thread = pool.threads.find(({ threadId }) => threadId === id);
  return new Promise((resolve) => {
    if (thread === undefined) resolve();
    else thread.once('exit', () => resolve());
  });
}
