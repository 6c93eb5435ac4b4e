import { framingOf } from '../../wire/http/request-encoding.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { RequestBody } from './request-body.ts';

/** Max unwanted body bytes that are read and dropped. */
export const MAX_DROPPED_BYTES = 64 * 1024 * 1024;

/**
 * Whether a refusal must close the connection because the request's body is incomplete.
 *
 * A close while the client still sends may reset the connection, so that the client never sees the answer.
 * Therefore the rest is read and dropped if its length is known and at most {@link MAX_DROPPED_BYTES}. A
 * chunked request always ends its connection. A client that was too slow (408) gets no more time.
 */
export function closesUnread(status: number, head: RequestHead, body: RequestBody | null): boolean {
  if (body === null || body.ended) return false;
  const framing = framingOf(head);
  return status === 408 || typeof framing !== 'number' || framing - body.received > MAX_DROPPED_BYTES;
}
