import { isWrittenByProxy } from '../request-encoding.ts';

/** Fields behind a chunked body, in their order: names as they were spelled, and values. */
export type Trailers = readonly (readonly [name: string, value: string])[];

export const NO_TRAILERS: Trailers = [];

/**
 * Fields that must not come behind a body, because they frame it, route the message, ask for credentials or say how to process
 * it (RFC 9110 section 6.5.1). Many receivers would take them for headers.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'host',
  'content-encoding',
  'content-type',
  'content-range',
  'content-location',
  'content-disposition',
  'cache-control',
  'max-forwards',
  'pragma',
  'range',
  'authorization',
  'www-authenticate',
  'authentication-info',
  'proxy-authentication-info',
  'cookie',
  'set-cookie',
  'set-cookie2',
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'via',
  'warning',
  'allow',
  'accept-ranges',
  'origin',
  'referer',
  'user-agent',
]);
const FORBIDDEN_PREFIX = /^(?:if|accept|access-control|sec|proxy)-/;

/** Returns the trailers that may be passed on. What the proxy itself writes into heads is forbidden, too. */
export function allowedTrailers(trailers: Trailers): Trailers {
  return trailers.every(isAllowed) ? trailers : trailers.filter(isAllowed);
}

function isAllowed([spelled]: Trailers[number]): boolean {
  const name = spelled.toLowerCase();
  return !FORBIDDEN.has(name) && !FORBIDDEN_PREFIX.test(name) && !isWrittenByProxy(name);
}
