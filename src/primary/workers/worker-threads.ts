import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Pulse } from '../../protocol/pulse.ts';
import type { WorkerKind, WorkerStart } from '../../protocol/to-worker.ts';
import { reclaimDescriptors } from '../../sys/sockets/reclaim.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Modules of the worker threads. Each exports its task by default. */
export type WorkerFiles = Readonly<Record<WorkerKind, URL>>;

/** Max threads of a kind. While a worker drains, its replacement has another thread. */
const MAX_THREADS = 1024;
/**
 * V8's young generation, in MB: semi-spaces of 8 MB, as large as they grow during a warm-up. Reloads would
 * double them, and V8 does not return the memory.
 */
const MAX_YOUNG_MB = 24;
/**
 * Idle time before a thread ends. Native handles close in that time, and the next worker can reuse the
 * thread.
 */
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
   * Runs a worker's task. Settles when the task has ended.
   *
   * @param signal terminates the thread, which must have no native handles. The task ends with the thread,
   * and the descriptors that it left open are closed
   */
  async run(start: WorkerStart, signal: AbortSignal): Promise<unknown> {
    const { kind, port } = start;
    // The file belongs to the task, not to the pool: a file that fails to load then fails only its task.
    const filename = fileURLToPath(this.#files[kind]);
    const pool = this.#pool(kind);
    let exit: Promise<void> | null = null;
    // This listener runs before the pool's own, which forgets the thread.
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
    this.#log.info({ worker: name, descriptors: closed }, 'worker thread terminated');
  }

  /** Ends all threads. None may have a task, because open native handles abort the process. */
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
        // Between two tasks, a thread must turn its event loop to close the handles of the first task.
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

/**
 * Resolves when the pool's thread with this id has exited, or at once if the pool has no thread with this id.
 */
function exitOf(pool: Piscina, id: number): Promise<void> {
  const thread = pool.threads.find(({ threadId }) => threadId === id);
  return new Promise((resolve) => {
    if (thread === undefined) resolve();
    else thread.once('exit', () => resolve());
  });
}
