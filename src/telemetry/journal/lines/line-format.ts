import type {
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionStart,
  TunnelEnd,
  TunnelStart,
} from '../entries.ts';

/**
 * Writes access lines of one format. Each method returns a line with its newline, or an empty text if the
 * format has no such line. All formats escape: a client can neither start a line nor end a quoted text.
 */
export interface LineFormat {
  /** @param isSampled whether sampling chose the entry, so that its line stands for several */
  request(end: RequestEnd, isSampled: boolean): string;
  handshakeRefused(refusal: HandshakeRefusal): string;
  /** Returns a line with the count of refused handshakes without a line each. */
  handshakesRefused(listener: string, count: number): string;
  sessionOpened(session: SessionStart, isSampled: boolean): string;
  sessionClosed(session: SessionStart, end: SessionEnd, isSampled: boolean): string;
  tunnelOpened(tunnel: TunnelStart, isSampled: boolean): string;
  tunnelClosed(tunnel: TunnelStart, end: TunnelEnd, isSampled: boolean): string;
}
