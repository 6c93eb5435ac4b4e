/** A connection with pipelined requests: they arrived before earlier requests were answered. */
export interface PipelinedConnection {
  /** Continues to read. */
  continueReading(): void;
  /** Called with an exception from {@link continueReading}. */
  fault(error: unknown): void;
}

/**
 * The connections of one worker whose next request has already arrived. They continue outside the call that
 * ended the previous answer, so that a long pipeline does not nest calls.
 */
export class Pipelines {
  readonly #defer: (callback: () => void) => void;
  readonly #nextTurn: (callback: () => void) => void;
  #ready: PipelinedConnection[] = [];
  #deferred: PipelinedConnection[] = [];
  readonly #runReady = (): void => {
    const connections = this.#ready;
    this.#ready = [];
    for (const connection of connections) continueSafely(connection);
  };
  readonly #runDeferred = (): void => {
    const connections = this.#deferred;
    this.#deferred = [];
    for (const connection of connections) continueSafely(connection);
  };

  /**
   * @param defer calls back once, at the end of the loop's turn
   * @param nextTurn calls back once, in a later turn of the loop, after the events that have arrived by then
   */
  constructor(defer: (callback: () => void) => void, nextTurn: (callback: () => void) => void) {
    this.#defer = defer;
    this.#nextTurn = nextTurn;
  }

  /** Lets a connection continue at the end of this turn of the loop. */
  add(connection: PipelinedConnection): void {
    if (this.#ready.push(connection) === 1) this.#defer(this.#runReady);
  }

  /** Lets a connection that has used up its share of this turn continue in a later turn. */
  addForNextTurn(connection: PipelinedConnection): void {
    if (this.#deferred.push(connection) === 1) this.#nextTurn(this.#runDeferred);
  }
}

/** Lets a connection continue. Its exceptions must not stop the others. */
function continueSafely(connection: PipelinedConnection): void {
  try {
    connection.continueReading();
  } catch (error) {
    connection.fault(error);
  }
}
