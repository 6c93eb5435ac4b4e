import type { WorkerSlot } from './worker-slot.ts';

/** The workers of the process that are not stuck, by what becomes of them. */
export class WorkerRoster<S extends object = WorkerSlot> {
  #slots: readonly S[] = [];
  readonly #leaving = new Set<S>();
  #arriving: S | null = null;

  /** The workers that the configuration wants. A stuck worker stays here until another one replaces it. */
  get slots(): readonly S[] {
    return this.#slots;
  }

  set slots(slots: readonly S[]) {
    this.#slots = slots;
  }

  /** The workers that drain, because others replace them or the configuration wants fewer. */
  get leaving(): readonly S[] {
    return [...this.#leaving];
  }

  /** The worker that replaces another as soon as it listens; null if none does. */
  get arriving(): S | null {
    return this.#arriving;
  }

  /** The workers that take new connections, or will. */
  get serving(): readonly S[] {
    return this.#arriving === null ? this.#slots : [...this.#slots, this.#arriving];
  }

  get everyone(): readonly S[] {
    return [...this.#slots, ...this.#leaving, ...(this.#arriving === null ? [] : [this.#arriving])];
  }

  arrive(slot: S): void {
    this.#arriving = slot;
  }

  /** Forgets the arriving worker, which does not listen. */
  failArrival(): void {
    this.#arriving = null;
  }

  /** Puts a worker in the place of another. */
  replace(old: S, fresh: S): void {
    if (this.#arriving === fresh) this.#arriving = null;
    this.#slots = this.#slots.map((slot) => (slot === old ? fresh : slot));
  }

  addLeaving(slot: S): void {
    this.#leaving.add(slot);
  }

  /** Forgets a leaving worker, which has ended or is stuck. */
  removeLeaving(slot: S): void {
    this.#leaving.delete(slot);
  }
}
