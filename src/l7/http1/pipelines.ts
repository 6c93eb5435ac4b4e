/** A connection whose next requests have come before the answers to those in front. */
export interface PipelinedConnection {
  /** Reads on. */
  goOn(): void;
  /** {@link goOn} has thrown. */
  fault(error: unknown): void;
}

/**
 * The connections of one worker whose next request has come already. They read on outside of the call that has ended the
 * answer before, so that a row of pipelined requests does not nest.
 */
export class Pipelines {
  readonly #defer: (callback: () => void) => void;
  readonly #nextTurn: (callback: () => void) => void;
  #ready: PipelinedConnection[] = [];
  #rested: PipelinedConnection[] = [];
  readonly #runReady = (): void => {
    const connections = this.#ready;
    this.#ready = [];
    for (const connection of connections) goOn(connection);
  };
  readonly #runRested = (): void => {
    const connections = this.#rested;
    this.#rested = [];
    for (const connection of connections) goOn(connection);
  };

  /**
   * @param defer calls back once at the end of the loop's turn
   * @param nextTurn calls back once in another turn of the loop, behind what happens meanwhile
   */
  constructor(defer: (callback: () => void) => void, nextTurn: (callback: () => void) => void) {
    this.#defer = defer;
    this.#nextTurn = nextTurn;
  }

  /** Lets a connection read on at the end of this turn of the loop. */
  add(connection: PipelinedConnection): void {
    if (this.#ready.push(connection) === 1) this.#defer(this.#runReady);
  }

  /** Lets a connection read on that has had its share of this turn. */
  addRested(connection: PipelinedConnection): void {
    if (this.#rested.push(connection) === 1) this.#nextTurn(this.#runRested);
  }
}

/** A connection that throws keeps no other from reading on. */
function goOn(connection: PipelinedConnection): void {
  try {
    connection.goOn();
  } catch (error) {
    connection.fault(error);
  }
}
