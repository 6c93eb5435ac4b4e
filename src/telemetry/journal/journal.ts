import type {
  ConnectionRefusal,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionEvent,
  SessionStart,
  Trace,
  TunnelEnd,
  TunnelStart,
} from './entries.ts';

/** The sinks of a journal, as bits: an entry may go to several. */
export const ACCESS = 1;
export const EVENT = 2;
export const SPAN = 4;
/** Combined with {@link ACCESS}: the entry was chosen by sampling, so its line stands for several entries. */
export const SAMPLED = 8;

/**
 * How something ended. Sampling decides about a `success`. A `refusal` always has an access line. A `failure`
 * is also an event.
 */
export type Outcome = 'success' | 'refusal' | 'failure';

/**
 * Records how a worker's requests, handshakes, sessions, tunnels and connections ended. Callers ask {@link
 * sinksOf} first, and build the entry only if a sink wants it. All generations share one journal.
 */
export interface Journal {
  /**
   * Returns the sinks for an end. 0 means none. Each call samples again, so a session or tunnel keeps the
   * result for all of its entries.
   *
   * @param seconds time the client waited: for a session, the time of its handshake
   * @param trace null without tracing
   */
  sinksOf(outcome: Outcome, seconds: number, trace: Pick<Trace, 'isSampled'> | null): number;
  /** Whether entries need `requestFacts.referer`, which few access logs contain. */
  readonly needsReferer: boolean;
  /** Whether a sink is enabled. */
  isOn(sink: number): boolean;
  request(sinks: number, end: RequestEnd): void;
  handshakeRefused(sinks: number, refusal: HandshakeRefusal): void;
  /** Writes an access line with the count of refused handshakes without a line each. */
  handshakesRefused(listener: string, count: number): void;
  sessionOpened(sinks: number, session: SessionStart): void;
  /** @param sessionEvents earlier events of the session, for the span */
  sessionClosed(
    sinks: number,
    session: SessionStart,
    end: SessionEnd,
    sessionEvents: readonly SessionEvent[],
  ): void;
  tunnelOpened(sinks: number, tunnel: TunnelStart): void;
  tunnelClosed(sinks: number, tunnel: TunnelStart, end: TunnelEnd): void;
  /** Records a connection closed before it was served, or before its tunnel had an endpoint. */
  connectionRefused(refusal: ConnectionRefusal): void;
}
