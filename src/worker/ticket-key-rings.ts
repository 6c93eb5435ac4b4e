import { TicketKeyRing } from '../core/ticket-key-ring.ts';

/** By listener: memory of its {@link TicketKeyRing}. */
type Memories = ReadonlyMap<string, SharedArrayBuffer>;

/** The rings of a worker's listeners. A listener has the same ring in all generations. */
export class TicketKeyRings {
  #current: ReadonlyMap<string, TicketKeyRing>;
  #prepared: ReadonlyMap<string, TicketKeyRing>;

  constructor(memories: Memories) {
    this.#current = this.#prepared = this.#ringsOn(memories, new Map());
  }

  /** Makes the rings of the next generation; those of the current one stay. */
  prepare(memories: Memories): void {
    this.#prepared = this.#ringsOn(memories, this.#current);
  }

  /** Brings the prepared rings into force. */
  commit(): void {
    this.#current = this.#prepared;
  }

  /** Returns the ring of a listener of the current or the prepared generation. @throws if the listener has no TLS */
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
