import { viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { endToEndHeaders } from '../../wire/upgrade/upgrade-response.ts';
import type { Header, HttpReply } from '../contract/http-reply.ts';

/** How an endpoint's answer is changed for the client. */
interface AnswerTerms {
  /** Whether to add a Via header. */
  readonly via: boolean;
  /** The sticky Set-Cookie header for the endpoint, or null. */
  readonly cookie: string | null;
}

/**
 * Returns the headers of an endpoint's answer for the client: the endpoint's own, and those that sluice adds.
 */
export function answerHeaders(head: ResponseHead, terms: AnswerTerms): Header[] {
  const headers: Header[] = endToEndHeaders(head);
  addProxyHeaders(headers, terms, head.isHttp10);
  return headers;
}

/** Adds sluice's headers to an endpoint's answer. @param isHttp10 whether the answer is HTTP/1.0 */
export function addProxyHeaders(headers: Header[], { via, cookie }: AnswerTerms, isHttp10?: true): void {
  if (via) headers.push(['Via', viaElement(isHttp10)]);
  if (cookie !== null) headers.push(['Set-Cookie', cookie, true]);
}

/** Forwards an endpoint's interim response (1xx). sluice adds its headers only to the final answer. */
export function forwardInterim(head: ResponseHead, reply: HttpReply): void {
  reply.sendInterim(head.status, endToEndHeaders(head));
}
