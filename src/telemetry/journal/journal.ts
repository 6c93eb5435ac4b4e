import type {
  ConnectionRefusal,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionMoment,
  SessionStart,
  Trace,
  TunnelEnd,
  TunnelStart,
} from './entries.ts';

/** The sinks of a journal, as bits: an entry may go to several. */
export const ACCESS = 1;
export const EVENT = 2;
export const SPAN = 4;
/** Goes with {@link ACCESS}: sampling has chosen the entry, so its line stands for several. */
export const SAMPLED = 8;

/**
 * How something ended. A `success` is told as sampling decides. A `refusal` always has its access line. A `failure` is an
 * event, too.
 */
export type Outcome = 'success' | 'refusal' | 'failure';

/**
 * The one place of a worker that hears how requests, handshakes, sessions, tunnels and connections ended. Whoever tells an
 * end asks {@link sinksOf} first, and builds the entry only if a sink wants it. The object is the same in all generations.
 */
export interface Journal {
  /**
   * Returns the sinks that want an end; 0 for none. Sampling is drawn anew for each call, so the caller of a session or a
   * tunnel keeps the result for all of its entries.
   *
   * @param seconds how long the client waited: of a session the time of its handshake
   * @param trace null without tracing
   */
  sinksOf(outcome: Outcome, seconds: number, trace: Pick<Trace, 'isSampled'> | null): number;
  /** Whether entries need `asked.referer`, which few access logs have. */
  readonly needsReferer: boolean;
  /** Whether a sink is in use. */
  isOn(sink: number): boolean;
  request(sinks: number, end: RequestEnd): void;
  handshakeRefused(sinks: number, refusal: HandshakeRefusal): void;
  /** Writes an access line that counts refused handshakes without lines of their own. */
  handshakesRefused(listener: string, count: number): void;
  sessionOpened(sinks: number, session: SessionStart): void;
  /** @param moments what has happened before, for the span */
  sessionClosed(
    sinks: number,
    session: SessionStart,
    end: SessionEnd,
    moments: readonly SessionMoment[],
  ): void;
  tunnelOpened(sinks: number, tunnel: TunnelStart): void;
  tunnelClosed(sinks: number, tunnel: TunnelStart, end: TunnelEnd): void;
  /** A connection was closed before it could be served, or before its tunnel had an endpoint. */
  connectionRefused(refusal: ConnectionRefusal): void;
}
