import { TicketKeyRing } from '../core/ticket-key-ring.ts';

/** Memory of each listener's {@link TicketKeyRing}. */
type Memories = ReadonlyMap<string, SharedArrayBuffer>;

/** The key rings of a worker's listeners. A listener keeps its ring across generations. */
export class TicketKeyRings {
  #current: ReadonlyMap<string, TicketKeyRing>;
  #prepared: ReadonlyMap<string, TicketKeyRing>;

  constructor(memories: Memories) {
    this.#current = this.#prepared = this.#ringsOn(memories, new Map());
  }

  /** Creates the rings of the next generation. Those of the current one stay. */
  prepare(memories: Memories): void {
    this.#prepared = this.#ringsOn(memories, this.#current);
  }

  /** Applies the prepared rings. */
  commit(): void {
    this.#current = this.#prepared;
  }

  /**
   * Returns a listener's ring, in the current or prepared generation.
   *
   * @throws Error if the listener has no TLS
   */
  readonly of = (listener: string): TicketKeyRing => {
    const ring = this.#prepared.get(listener) ?? this.#current.get(listener);
    if (ring === undefined) throw new Error(`listener "${listener}" has no ticket keys`);
    return ring;
  };

  #ringsOn(
    memories: Memories,
    known: ReadonlyMap<string, TicketKeyRing>,
  ): ReadonlyMap<string, TicketKeyRing> {
    const ringOf = (name: string, memory: SharedArrayBuffer): TicketKeyRing =>
      known.get(name) ?? new TicketKeyRing(memory);
    return new Map(Array.from(memories, ([name, memory]) => [name, ringOf(name, memory)]));
  }
}
