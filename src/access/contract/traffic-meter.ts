/** A session whose reads are paused. */
export interface MeteredReader {
  /** Called when the session may read again. */
  resumeReading(): void;
}

/**
 * Verdict on a read. `slow`: stop reading until {@link MeteredReader.resumeReading}. `close`: end the
 * session.
 */
export type MeterVerdict = 'go' | 'slow' | 'close';

/**
 * Counts what one session's client sends, against all limits that apply. Created at the handshake and
 * released with the session's other holds.
 */
export interface TrafficMeter {
  /**
   * Counts a read. Called on the hot path: does not allocate.
   *
   * @param messages completed messages
   * @param bytes as received, including frame heads and control frames; payload only if the engine reads
   * whole messages
   */
  count(messages: number, bytes: number): MeterVerdict;
  /**
   * Whether a new session must {@link wait} before its first read, because other sessions of its key have
   * used up the limit.
   */
  readonly isOverLimit: boolean;
  /** Calls back after `slow` when the limits allow more. Sessions of one key take turns. */
  wait(reader: MeteredReader): void;
  /** Cancels {@link wait}. Idempotent, and allowed without a wait. */
  cancelWait(reader: MeteredReader): void;
  /** Code and reason for the client after `close`. 1013 if other clients may have caused the excess. */
  readonly excess: { readonly code: 1008 | 1013; readonly reason: string };
}
