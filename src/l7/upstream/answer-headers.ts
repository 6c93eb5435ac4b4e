import { viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { endToEndHeaders } from '../../wire/upgrade/upgrade-response.ts';
import type { Header, HttpReply } from '../contract/http-reply.ts';

/** The terms on which an endpoint's answer reaches the client. */
interface AnswerTerms {
  /** Whether a Via header is added. */
  readonly via: boolean;
  /** The Set-Cookie header that brings the client back to the endpoint; null for none. */
  readonly cookie: string | null;
}

/** Returns the headers of an endpoint's answer for the client: the endpoint's own, and those that the proxy adds. */
export function answerHeaders(head: ResponseHead, terms: AnswerTerms): Header[] {
  const headers: Header[] = endToEndHeaders(head);
  addProxyHeaders(headers, terms, head.isHttp10);
  return headers;
}

/** Adds the headers that the proxy adds to an endpoint's answer. @param isHttp10 whether the answer is HTTP/1.0 */
export function addProxyHeaders(headers: Header[], { via, cookie }: AnswerTerms, isHttp10?: true): void {
  if (via) headers.push(['Via', viaElement(isHttp10)]);
  if (cookie !== null) headers.push(['Set-Cookie', cookie, true]);
}

/** Passes an endpoint's interim response (1xx) on. The proxy adds nothing: the final answer says all. */
export function passInterim(head: ResponseHead, reply: HttpReply): void {
  reply.inform(head.status, endToEndHeaders(head));
}
