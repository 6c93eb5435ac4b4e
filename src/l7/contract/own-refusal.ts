import type { HeaderList, HttpReply } from './http-reply.ts';
import type { HandshakeFailure, RequestRefusal } from './listener-stats.ts';

/** An answer that sluice itself gave to a request. */
export interface OwnAnswer {
  /** The reason label. A handshake that fails for the same reason has the same label. */
  readonly reason: HandshakeFailure | RequestRefusal;
  /** The text that the client got. */
  readonly detail: string;
}

/** Content-Type of the texts that sluice itself answers. */
export const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8'] as const;
const HEADERS: ReadonlyMap<number, HeaderList> = new Map<number, HeaderList>([
  [405, [PLAIN_TEXT, ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']]],
  [426, [PLAIN_TEXT, ['Upgrade', 'websocket'], ['Connection', 'Upgrade'], ['Sec-WebSocket-Version', '13']]],
  [503, [PLAIN_TEXT, ['Retry-After', '1']]],
]);
const OTHERS: HeaderList = [PLAIN_TEXT];

/**
 * Refuses a plain request or a handshake on behalf of sluice itself.
 *
 * @param reason a short text for the body
 * @param close whether the answer ends the connection
 */
export function sendRefusal(reply: HttpReply, status: number, reason: string, close = false): void {
  reply.send(status, HEADERS.get(status) ?? OTHERS, `${reason}\n`, close);
}
