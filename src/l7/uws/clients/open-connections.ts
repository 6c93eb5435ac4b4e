/** The open connections of one listener, as counted by {@link LingeringConnections}. */
export class OpenConnections {
  /** Connections that uWS serves. */
  served = 0;
  /** Connections with an ended WebSocket that are not known to be closed. */
  lingering = 0;
  /**
   * Values of {@link lingering} and {@link served} at the start of the round. Both are 0 if it does not count
   * this listener.
   */
  before = 0;
  expected = 0;
  /** Open connections found by the round. */
  met = 0;
  readonly #closed: () => void;

  /** @param closed called once per connection, when its descriptor is closed */
  constructor(closed: () => void) {
    this.#closed = closed;
  }

  /** Called when a connection that uWS served has closed. */
  closed(): void {
    this.served--;
    this.#closed();
  }

  /** Called when lingering connections have closed. */
  gone(count: number): void {
    this.lingering -= count;
    for (let done = 0; done < count; done++) this.#closed();
  }
}
