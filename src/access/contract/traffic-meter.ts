/** A session whose reading waits. */
export interface MeteredReader {
  /** It may read on. */
  readOn(): void;
}

/**
 * The verdict on a read. `slow`: read nothing more before {@link MeteredReader.readOn}. `close`: end the
 * session.
 */
export type MeterVerdict = 'go' | 'slow' | 'close';

/**
 * Counts what one session's client sends, against all limits that hold for it. Made at the handshake, and
 * released with the session's other holds.
 */
export interface TrafficMeter {
  /**
   * Counts a read. Called on the hot path: allocates nothing.
   *
   * @param messages that have ended
   * @param bytes as received, with frame heads and control frames; payload only if the engine reads whole
   *   messages
   */
  count(messages: number, bytes: number): MeterVerdict;
  /**
   * Whether a session that begins must {@link wait} before its first read, because other sessions of its key have
   * used the limit up.
   */
  readonly isBehind: boolean;
  /** After `slow`: calls back when the limits allow more. The sessions of one key take turns. */
  wait(reader: MeteredReader): void;
  /** Gives {@link wait} up. May be called again, and without a wait. */
  forget(reader: MeteredReader): void;
  /** After `close`: the code and the reason for the client. 1013 if the excess may be the work of others. */
  readonly excess: { readonly code: 1008 | 1013; readonly reason: string };
}
