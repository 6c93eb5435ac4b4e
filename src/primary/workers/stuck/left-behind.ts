import { dropNewConnections } from '../../../sys/sockets/hand-over.ts';
import { stopListening } from '../../../sys/sockets/listening-sockets.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { WorkerSlot } from '../worker-slot.ts';

/** Max time that the addresses of a stuck worker wait for its replacement to listen. */
const MAX_WAIT_MS = 5000;

/** System calls on a stuck worker's sockets. Tests inject fakes. */
interface SocketCalls {
  readonly dropNewConnections: (fd: number) => boolean;
  readonly stopListening: (fd: number) => boolean;
}

type StuckSlot = Pick<WorkerSlot, 'name' | 'kind' | 'listeningSockets' | 'terminate' | 'ended' | 'close'>;

interface Leaving {
  /** Whether other workers of its kind serve its addresses now. */
  readonly hasSiblings: boolean;
  /**
   * Starts the replacement. Settles when the replacement listens or fails. Null if there is no replacement,
   * or none soon.
   */
  readonly replace: () => Promise<unknown> | null;
  /** Called when the thread writes nothing any more. */
  readonly onEnded: () => void;
}

/** Stuck workers, from their detection until their threads end, if ever. */
export class LeftBehind<S extends StuckSlot = WorkerSlot> {
  readonly #log: Logger;
  readonly #calls: SocketCalls;
  readonly #slots = new Set<S>();
  readonly #recovered = new Set<S>();
  /** By the worker's name. */
  readonly #totals = new Map<string, number>();

  constructor(log: Logger, calls: SocketCalls = { dropNewConnections, stopListening }) {
    this.#log = log;
    this.#calls = calls;
  }

  get slots(): readonly S[] {
    return [...this.#slots];
  }

  get count(): number {
    return this.#slots.size;
  }

  /**
   * Counts the threads that speak against a replacement of the worker. A layer 4 thread is terminated, so it
   * never counts, and other threads never prevent its replacement.
   */
  countAgainst(slot: S): number {
    if (slot.kind === 'l4') return 0;
    return this.slots.filter((other) => other !== slot && other.kind === 'l7').length;
  }

  /** Workers that beat again and drain. */
  get recovered(): readonly S[] {
    return [...this.#recovered];
  }

  /** Number of times that a worker of this name was stuck. */
  total(worker: string): number {
    return this.#totals.get(worker) ?? 0;
  }

  /**
   * Takes over a stuck worker: passes its addresses to others, and ends its thread if that is safe.
   * Terminating a thread with native handles would end the process, so the thread stays until it turns again.
   * Errors are only logged: the process must keep serving with its other workers.
   */
  add(slot: S, leaving: Leaving): void {
    this.#slots.add(slot);
    this.#totals.set(slot.name, this.total(slot.name) + 1);
    const onError = (error: unknown): void => {
      this.#log.error({ err: error, worker: slot.name }, 'handling of a stuck worker failed');
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
      // New connections are neither refused nor lost: clients retransmit after a second, when the replacement
      // listens.
      for (const fd of slot.listeningSockets) this.#calls.dropNewConnections(fd);
      const replaced = replace();
      if (replaced !== null) await within(replaced, MAX_WAIT_MS);
      this.#stopListening(slot);
    }
    // A worker that recovered during the wait drains instead.
    if (slot.kind === 'l4' && !this.#recovered.has(slot)) slot.terminate();
  }

  /** Marks a stuck worker that beats again. */
  recover(slot: S): void {
    if (!this.#slots.has(slot)) return;
    this.#recovered.add(slot);
    this.#log.warn({ worker: slot.name }, 'stuck worker recovered, draining');
  }

  /**
   * Reads the descriptors again: if the worker has turned since, it has closed some, and their numbers may be
   * reused.
   */
  #stopListening({ name, listeningSockets }: S): void {
    const stopped = listeningSockets.filter((fd) => this.#calls.stopListening(fd));
    if (stopped.length < listeningSockets.length) {
      this.#log.warn({ worker: name }, 'some new connections may still reach the stuck worker');
    }
  }
}

/** Resolves when the promise settles, or after `ms`. */
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
