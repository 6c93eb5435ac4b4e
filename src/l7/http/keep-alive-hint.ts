import type { ResponseHead } from '../../wire/response-head.ts';

/** Time by which the endpoint's own limit is undercut, so that its FIN and our request do not cross. */
const MARGIN_MS = 1000;

/** For how many milliseconds the endpoint keeps the connection, by its Keep-Alive header; Infinity if it says nothing. */
export function keepAliveHint({ headers }: ResponseHead): number {
  const index = headers.indexOf('keep-alive');
  const value = index >= 0 && index % 2 === 0 ? headers[index + 1]! : '';
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(value)?.[1];
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1000 - MARGIN_MS);
}
