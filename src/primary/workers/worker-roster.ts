import type { WorkerSlot } from './worker-slot.ts';

/** The workers of the process that are not stuck, by stage of their life. */
export class WorkerRoster<S extends object = WorkerSlot> {
  #slots: readonly S[] = [];
  readonly #leaving = new Set<S>();
  #arriving: S | null = null;

  /** Workers that the configuration wants. A stuck worker stays here until it is replaced. */
  get slots(): readonly S[] {
    return this.#slots;
  }

  set slots(slots: readonly S[]) {
    this.#slots = slots;
  }

  /** Workers that drain, because others replace them or the configuration wants fewer. */
  get leaving(): readonly S[] {
    return [...this.#leaving];
  }

  /** The worker that will replace another when it listens, or null. */
  get arriving(): S | null {
    return this.#arriving;
  }

  /** Workers that take new connections, now or soon. */
  get serving(): readonly S[] {
    return this.#arriving === null ? this.#slots : [...this.#slots, this.#arriving];
  }

  get everyone(): readonly S[] {
    return [...this.#slots, ...this.#leaving, ...(this.#arriving === null ? [] : [this.#arriving])];
  }

  arrive(slot: S): void {
    this.#arriving = slot;
  }

  /** Drops the arriving worker, which failed to listen. */
  failArrival(): void {
    this.#arriving = null;
  }

  /** Replaces a worker by another. */
  replace(old: S, fresh: S): void {
    if (this.#arriving === fresh) this.#arriving = null;
    this.#slots = this.#slots.map((slot) => (slot === old ? fresh : slot));
  }

  addLeaving(slot: S): void {
    this.#leaving.add(slot);
  }

  /** Drops a leaving worker, which has ended or is stuck. */
  removeLeaving(slot: S): void {
    this.#leaving.delete(slot);
  }
}
