import type {
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionStart,
  TunnelEnd,
  TunnelStart,
} from '../entries.ts';

/**
 * Writes access lines of one format. Each method returns a line with a newline at its end, or an empty text if the format
 * has no such line. A client cannot begin a line, nor end a quoted text: all formats escape.
 */
export interface LineFormat {
  /** @param isSampled whether sampling has chosen the entry, so that the line stands for several */
  request(end: RequestEnd, isSampled: boolean): string;
  handshakeRefused(refusal: HandshakeRefusal): string;
  /** Counts refused handshakes without lines of their own. */
  handshakesRefused(listener: string, count: number): string;
  sessionOpened(session: SessionStart, isSampled: boolean): string;
  sessionClosed(session: SessionStart, end: SessionEnd, isSampled: boolean): string;
  tunnelOpened(tunnel: TunnelStart, isSampled: boolean): string;
  tunnelClosed(tunnel: TunnelStart, end: TunnelEnd, isSampled: boolean): string;
}
