import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Pulse } from '../../protocol/pulse.ts';
import type { WorkerKind, WorkerStart } from '../../protocol/to-worker.ts';
import { reclaimDescriptors } from '../../sys/sockets/reclaim.ts';
import type { Logger } from '../../telemetry/logger.ts';

export type WorkerFiles = Readonly<Record<WorkerKind, URL>>;

/** The workers of this program: beside this file's room, with the ending that this file has itself. */
const WORKER_FILES: WorkerFiles = {
  l7: new URL(`../worker/l7${extname(import.meta.url)}`, import.meta.url),
  l4: new URL(`../worker/l4${extname(import.meta.url)}`, import.meta.url),
};
/** Each worker may have a successor while it drains. */
const MOST_THREADS = 1024;
/** A thread without a task is kept for so long: its handles are closed by then, and the next worker may want it. */
const IDLE_MS = 5000;

/** The threads that workers run on, made when they are wanted. */
export class WorkerThreads {
  readonly #pools = new Map<WorkerKind, Piscina>();
  readonly #files: WorkerFiles;
  readonly #log: Logger;

  constructor(log: Logger, files: WorkerFiles = WORKER_FILES) {
    this.#log = log;
    this.#files = files;
  }

  /**
   * Runs a worker's task; settles when it has ended.
   *
   * @param signal terminates the thread, which must have no uWS handles; the task has ended when the thread has, and
   * the descriptors that it left open are closed
   */
  async run(start: WorkerStart, signal: AbortSignal): Promise<unknown> {
    const { kind, port } = start;
    // The file is named here and not for the pool: a file that cannot be loaded then fails its task, and not the
    // thread.
    const filename = fileURLToPath(this.#files[kind]);
    const pool = this.#pool(kind);
    let exit: Promise<void> | null = null;
    // Before the pool hears of it, which forgets the thread.
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

  /** Ends all threads; none may have a task, because uWS handles must not be open then. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.destroy()));
  }

  #pool(kind: WorkerKind): Piscina {
    let pool = this.#pools.get(kind);
    if (pool === undefined) {
      pool = new Piscina({
        minThreads: 0,
        maxThreads: MOST_THREADS,
        idleTimeout: IDLE_MS,
        // A thread between two tasks must turn its event loop, so that what the first left behind gets closed.
        atomics: 'disabled',
        recordTiming: false,
      });
      pool.on('error', (error) => this.#log.error({ err: error, kind }, 'worker thread failed'));
      this.#pools.set(kind, pool);
    }
    return pool;
  }
}

/** Resolves when a thread of the pool has exited; at once where it has none of this id. */
function exitOf(pool: Piscina, id: number): Promise<void> {
  const thread = pool.threads.find(({ threadId }) => threadId === id);
  return new Promise((resolve) => {
    if (thread === undefined) resolve();
    else thread.once('exit', () => resolve());
  });
}
