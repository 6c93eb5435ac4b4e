import { headerOf } from '../../wire/http/request-head.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';

/** Margin below the endpoint's own limit, so that its FIN and a request do not cross. */
const MARGIN_MS = 1000;

/** Min time to keep a bound connection, even if the endpoint wants less: a login continues on it. */
const MIN_BOUND_MS = 5000;

/** Returns the max idle time in the endpoint's Keep-Alive header, in milliseconds. Infinity without one. */
export function keepAliveHint(head: ResponseHead): number {
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(headerOf(head, 'keep-alive') ?? '')?.[1];
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1000 - MARGIN_MS);
}

/** Returns the max idle time of a bound connection, in milliseconds. @param keepAliveMs as configured */
export function boundKeepAlive(keepAliveMs: number, head: ResponseHead): number {
  return Math.min(keepAliveMs, Math.max(MIN_BOUND_MS, keepAliveHint(head)));
}
