import { framingOf } from '../../wire/http/request-encoding.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { RequestBody } from './request-body.ts';

/** Max bytes of an unwanted body that are read and dropped. */
export const MAX_DROPPED_BYTES = 64 * 1024 * 1024;

/**
 * Whether a refusal closes the connection because of the rest of the request's body. To close while the client still sends
 * may reset the connection, so that the client never sees the answer. Therefore the rest is read and dropped if its length is
 * known and at most {@link MAX_DROPPED_BYTES}. A chunked request ends its connection in any case. A client that is refused
 * because it is too slow (408) has had its time.
 */
export function closesUnread(status: number, head: RequestHead, body: RequestBody | null): boolean {
  if (body === null || body.ended) return false;
  const framing = framingOf(head);
  return status === 408 || typeof framing !== 'number' || framing - body.received > MAX_DROPPED_BYTES;
}
