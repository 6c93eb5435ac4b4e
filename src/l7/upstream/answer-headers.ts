import { viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { endToEndHeaders } from '../../wire/upgrade/upgrade-response.ts';
import type { Header } from '../contract/http-reply.ts';

/**
 * Returns the headers of an endpoint's answer for the client: the endpoint's own, and those that the proxy adds.
 *
 * @param via whether a Via header is added
 * @param cookie the one that brings the client back to the endpoint; null for none
 */
export function answerHeaders(head: ResponseHead, via: boolean, cookie: string | null): Header[] {
  const headers: Header[] = endToEndHeaders(head);
  if (via) headers.push(['Via', viaElement(head.isHttp10)]);
  if (cookie !== null) headers.push(['Set-Cookie', cookie, true]);
  return headers;
}
