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
const PLAIN_TEXT = 'text/plain; charset=utf-8';
const HEADERS: ReadonlyMap<number, HeaderList> = new Map<number, HeaderList>([
  [405, [['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']]],
  [
    426,
    [
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Version', '13'],
    ],
  ],
  [503, [['Retry-After', '1']]],
]);

/**
 * Refuses a plain request or a handshake on behalf of sluice itself. The body is the page for the status, or
 * the reason.
 *
 * @param reason a short text
 * @param close whether the answer ends the connection
 */
export function sendRefusal(reply: HttpReply, status: number, reason: string, close = false): void {
  sendOwn(reply, status, HEADERS.get(status) ?? [], `${reason}\n`, close);
}

/**
 * Sends the page for a status, or a short text.
 *
 * @param headers without Content-Type
 */
export function sendOwn(
  reply: HttpReply,
  status: number,
  headers: HeaderList,
  text: string,
  close = false,
): void {
  const page = reply.pages === null ? null : reply.pages.take(status);
  const type = page === null ? PLAIN_TEXT : page.contentType;
  reply.send(status, [['Content-Type', type], ...headers], page === null ? text : page.body, close);
}
