import type { RequestHead } from '../../wire/http/request-head.ts';
import { framingOf } from '../../wire/http/request-encoding.ts';
import type { RequestBody } from './request-body.ts';

/** Max bytes of an unwanted body that are read and dropped. */
export const MAX_DROPPED_BYTES = 64 * 1024 * 1024;

/**
 * Whether a refusal closes the connection because of what is left of the request's body. uWS closes at once, so a client that
 * is still sending may see a reset and never the answer. Therefore the rest is read and dropped if its length is known and not
 * too large. A chunked request ends its connection anyway. A client that is refused because it is too slow (408) has had its
 * time.
 */
export function closesUnread(status: number, head: RequestHead, body: RequestBody | null): boolean {
  if (body === null || body.ended) return false;
  const framing = framingOf(head);
  return status === 408 || typeof framing !== 'number' || framing - body.received > MAX_DROPPED_BYTES;
}
