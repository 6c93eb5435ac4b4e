import type { ExchangeEngine } from '../contract/exchange.ts';
import type { Relay, RelaySession, RelayTerms } from '../contract/relay.ts';

/**
 * The relays of one context, one per engine of its clients. After a reload that changed the listener's
 * engine, there are two: older connections keep their engine.
 */
export class ContextRelays implements Iterable<RelaySession> {
  readonly #terms: RelayTerms;
  readonly #relays = new Map<ExchangeEngine, Relay>();

  constructor(terms: RelayTerms) {
    this.#terms = terms;
  }

  /** Returns the relay for clients of an engine. */
  of(engine: ExchangeEngine): Relay {
    let relay = this.#relays.get(engine);
    if (relay === undefined) this.#relays.set(engine, (relay = engine.createRelay(this.#terms)));
    return relay;
  }

  /** Number of open sessions. */
  get size(): number {
    let sum = 0;
    for (const { sessions } of this.#relays.values()) sum += sessions.size;
    return sum;
  }

  *[Symbol.iterator](): Iterator<RelaySession> {
    for (const { sessions } of this.#relays.values()) yield* sessions;
  }
}
