import { headerOf } from '../../wire/request-head.ts';
import type { ResponseHead } from '../../wire/response-head.ts';

/** Time by which the endpoint's own limit is undercut, so that its FIN and our request do not cross. */
const MARGIN_MS = 1000;

/** Returns for how many milliseconds the connection may be kept, by the endpoint's Keep-Alive header; Infinity without one. */
export function keepAliveHint(head: ResponseHead): number {
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(headerOf(head, 'keep-alive') ?? '')?.[1];
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1000 - MARGIN_MS);
}
