import { setPriority } from 'node:os';
import { deafen } from '../../sys/hand-over.ts';
import { stopListening } from '../../sys/listening-sockets.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { WorkerSlot } from '../worker-slot.ts';

/** A stuck worker's addresses wait this long for its replacement to listen. */
const MAX_WAIT_MS = 5000;
/** The lowest priority that Linux has: a thread that spins must not take time from those that serve. */
const LOWEST_PRIORITY = 19;

/** What is done to the sockets and threads of others. */
interface Means {
  readonly deafen: (fd: number) => boolean;
  readonly stopListening: (fd: number) => boolean;
  readonly setPriority: (thread: number, priority: number) => void;
}

type StuckSlot = Pick<
  WorkerSlot,
  'name' | 'kind' | 'pulse' | 'listeningSockets' | 'terminate' | 'ended' | 'close'
>;

interface Leaving {
  /** Whether other workers of its kind serve its addresses now. */
  readonly hasSiblings: boolean;
  /** Starts its replacement; settles when that listens or cannot. Null where there is none, or not soon. */
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

  constructor(log: Logger, means: Means = { deafen, stopListening, setPriority: lowerPriority }) {
    this.#log = log;
    this.#means = means;
  }

  get slots(): readonly S[] {
    return [...this.#slots];
  }

  get count(): number {
    return this.#slots.size;
  }

  /** Those that beat again, and end in good order. */
  get recovered(): readonly S[] {
    return [...this.#recovered];
  }

  /** Times that a worker of this name was stuck. */
  total(worker: string): number {
    return this.#totals.get(worker) ?? 0;
  }

  /**
   * Takes a stuck worker in: its addresses go to others, and its thread is ended, if that is safe. A thread with uWS
   * handles cannot be ended without the process; it stays until it turns again.
   */
  async add(slot: S, { hasSiblings, replace, onEnded }: Leaving): Promise<void> {
    this.#slots.add(slot);
    this.#totals.set(slot.name, this.total(slot.name) + 1);
    void slot.ended.then(() => {
      this.#slots.delete(slot);
      this.#recovered.delete(slot);
      slot.close();
      this.#log.info({ worker: slot.name }, 'stuck worker ended');
      onEnded();
    });
    if (hasSiblings) {
      this.#stopListening(slot);
      void replace();
    } else {
      // Connects are neither refused nor lost: clients try again after a second, when the replacement listens.
      for (const fd of slot.listeningSockets) this.#means.deafen(fd);
      const replaced = replace();
      if (replaced !== null) await within(replaced, MAX_WAIT_MS);
      this.#stopListening(slot);
    }
    if (slot.kind === 'l4') slot.terminate();
    else this.#slowDown(slot);
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

  #slowDown({ name, pulse }: S): void {
    const thread = pulse?.systemThread ?? 0;
    if (thread === 0) return;
    try {
      this.#means.setPriority(thread, LOWEST_PRIORITY);
    } catch (error) {
      this.#log.debug({ err: error, worker: name }, 'priority of the stuck worker not lowered');
    }
  }
}

function lowerPriority(thread: number, priority: number): void {
  // On Linux a priority is that of a thread; elsewhere the number would be taken for a process.
  if (process.platform === 'linux') setPriority(thread, priority);
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
