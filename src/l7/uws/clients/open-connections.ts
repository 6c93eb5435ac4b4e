/** The open connections of one listener, as a {@link LingeringConnections} counts them. */
export class OpenConnections {
  /** Connections that uWS serves. */
  served = 0;
  /** Connections whose WebSocket has ended, and which are not known to be closed. */
  lingering = 0;
  /** Values of {@link lingering} and {@link served} when the round began; both 0 if it does not count this listener. */
  before = 0;
  expected = 0;
  /** Open connections that the round has met. */
  met = 0;
  readonly #closed: () => void;

  /** @param closed called once for each connection, when its descriptor is closed */
  constructor(closed: () => void) {
    this.#closed = closed;
  }

  /** A connection has closed that uWS served until then. */
  closed(): void {
    this.served--;
    this.#closed();
  }

  /** Lingering connections have closed. */
  gone(count: number): void {
    this.lingering -= count;
    for (let done = 0; done < count; done++) this.#closed();
  }
}
