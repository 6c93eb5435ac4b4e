import type { ExchangeEngine } from '../contract/exchange.ts';
import type { Relay, RelaySession, RelayTerms } from '../contract/relay.ts';

/**
 * The relays of one context: one for each engine that brings it clients. There are two if a reload has changed the engine
 * of the listener: connections that were open before keep theirs.
 */
export class ContextRelays implements Iterable<RelaySession> {
  readonly #terms: RelayTerms;
  readonly #relays = new Map<ExchangeEngine, Relay>();

  constructor(terms: RelayTerms) {
    this.#terms = terms;
  }

  /** Returns the relay that joins the clients of an engine to endpoints. */
  of(engine: ExchangeEngine): Relay {
    let relay = this.#relays.get(engine);
    if (relay === undefined) this.#relays.set(engine, (relay = engine.createRelay(this.#terms)));
    return relay;
  }

  /** Sessions that live. */
  get size(): number {
    let sum = 0;
    for (const { sessions } of this.#relays.values()) sum += sessions.size;
    return sum;
  }

  *[Symbol.iterator](): Iterator<RelaySession> {
    for (const { sessions } of this.#relays.values()) yield* sessions;
  }
}
