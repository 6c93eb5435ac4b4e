import { deafen } from '../../../sys/sockets/hand-over.ts';
import { stopListening } from '../../../sys/sockets/listening-sockets.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { WorkerSlot } from '../worker-slot.ts';

/** A stuck worker's addresses wait this long for its replacement to listen. */
const MAX_WAIT_MS = 5000;

/** System calls on the sockets of a stuck worker. */
interface Means {
  readonly deafen: (fd: number) => boolean;
  readonly stopListening: (fd: number) => boolean;
}

type StuckSlot = Pick<WorkerSlot, 'name' | 'kind' | 'listeningSockets' | 'terminate' | 'ended' | 'close'>;

interface Leaving {
  /** Whether other workers of its kind serve its addresses now. */
  readonly hasSiblings: boolean;
  /** Starts its replacement; settles when that listens or cannot. Null if there is no replacement, or none soon. */
  readonly replace: () => Promise<unknown> | null;
  /** Called when its thread writes nothing any more. */
  readonly onEnded: () => void;
}

/** Workers that are stuck, from the moment when that is noticed until their threads have ended, if they ever do. */
export class LeftBehind<S extends StuckSlot = WorkerSlot> {
  readonly #log: Logger;
  readonly #means: Means;
  readonly #slots = new Set<S>();
  readonly #recovered = new Set<S>();
  /** By the worker's name. */
  readonly #totals = new Map<string, number>();

  constructor(log: Logger, means: Means = { deafen, stopListening }) {
    this.#log = log;
    this.#means = means;
  }

  get slots(): readonly S[] {
    return [...this.#slots];
  }

  get count(): number {
    return this.#slots.size;
  }

  /**
   * Counts the threads that forbid a replacement of the worker if they are too many. A layer 4 thread is terminated, so
   * it never counts, and no number of others forbids its replacement.
   */
  countAgainst(slot: S): number {
    if (slot.kind === 'l4') return 0;
    return this.slots.filter((other) => other !== slot && other.kind === 'l7').length;
  }

  /** Workers that beat again, and end in good order. */
  get recovered(): readonly S[] {
    return [...this.#recovered];
  }

  /** Times that a worker of this name was stuck. */
  total(worker: string): number {
    return this.#totals.get(worker) ?? 0;
  }

  /**
   * Takes a stuck worker in: its addresses go to others, and its thread is ended, if that is safe. A thread with native
   * handles cannot be ended without the process; it stays until it turns again. Errors are logged: they must not end
   * the process, which serves with its other workers.
   */
  add(slot: S, leaving: Leaving): void {
    this.#slots.add(slot);
    this.#totals.set(slot.name, this.total(slot.name) + 1);
    const onError = (error: unknown): void => {
      this.#log.error({ err: error, worker: slot.name }, 'stuck worker not dealt with');
    };
    slot.ended.then(() => this.#remove(slot, leaving)).catch(onError);
    this.#release(slot, leaving).catch(onError);
  }

  #remove(slot: S, { onEnded }: Leaving): void {
    this.#slots.delete(slot);
    this.#recovered.delete(slot);
    slot.close();
    this.#log.info({ worker: slot.name }, 'stuck worker ended');
    onEnded();
  }

  async #release(slot: S, { hasSiblings, replace }: Leaving): Promise<void> {
    if (hasSiblings) {
      this.#stopListening(slot);
      // The supervisor logs a failed start.
      replace()?.catch(() => undefined);
    } else {
      // Connects are neither refused nor lost: clients try again after a second, when the replacement listens.
      for (const fd of slot.listeningSockets) this.#means.deafen(fd);
      const replaced = replace();
      if (replaced !== null) await within(replaced, MAX_WAIT_MS);
      this.#stopListening(slot);
    }
    // A worker that recovered while its replacement was awaited drains.
    if (slot.kind === 'l4' && !this.#recovered.has(slot)) slot.terminate();
  }

  /** A worker beats again. */
  recover(slot: S): void {
    if (!this.#slots.has(slot)) return;
    this.#recovered.add(slot);
    this.#log.warn({ worker: slot.name }, 'stuck worker recovered, draining');
  }

  /** Reads the descriptors again: a worker that turned meanwhile has closed some, and others may have their numbers. */
  #stopListening({ name, listeningSockets }: S): void {
    const stopped = listeningSockets.filter((fd) => this.#means.stopListening(fd));
    if (stopped.length < listeningSockets.length) {
      this.#log.warn({ worker: name }, 'some new connections may still reach the stuck worker');
    }
  }
}

/** Resolves when the promise settles, or the time is over. */
function within(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(done, done);
  });
}
