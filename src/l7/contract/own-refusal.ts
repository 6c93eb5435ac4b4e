import type { HeaderList, HttpReply } from './http-reply.ts';
import type { HandshakeFailure, RequestRefusal } from './listener-stats.ts';

/** What the proxy has answered in its own name to a request. */
export interface OwnAnswer {
  /** A handshake with the same failure has the same word. */
  readonly reason: HandshakeFailure | RequestRefusal;
  /** The words that the client got. */
  readonly detail: string;
}

/** The header of a text in the proxy's own words. */
export const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8'] as const;
const HEADERS: ReadonlyMap<number, HeaderList> = new Map<number, HeaderList>([
  [405, [PLAIN_TEXT, ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']]],
  [426, [PLAIN_TEXT, ['Upgrade', 'websocket'], ['Connection', 'Upgrade'], ['Sec-WebSocket-Version', '13']]],
  [503, [PLAIN_TEXT, ['Retry-After', '1']]],
]);
const OTHERS: HeaderList = [PLAIN_TEXT];

/**
 * Refuses a plain request or a handshake in the proxy's own name.
 *
 * @param reason a few words for the body
 * @param close whether the connection ends with the answer
 */
export function sendRefusal(reply: HttpReply, status: number, reason: string, close = false): void {
  reply.send(status, HEADERS.get(status) ?? OTHERS, `${reason}\n`, close);
}
