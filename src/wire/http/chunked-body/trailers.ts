import { isWrittenByProxy } from '../request-encoding.ts';

/** Fields after a chunked body, in order: names as spelled, and values. */
export type Trailers = readonly (readonly [name: string, value: string])[];

export const NO_TRAILERS: Trailers = [];

/**
 * Fields that must not be trailers: they frame or route the message, carry credentials, or control its
 * processing (RFC 9110 section 6.5.1). Many receivers would treat them as headers.
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

/** Returns the trailers that may be forwarded. Drops the names that sluice writes into heads, too. */
export function allowedTrailers(trailers: Trailers): Trailers {
  return trailers.every(isAllowed) ? trailers : trailers.filter(isAllowed);
}

function isAllowed([spelled]: Trailers[number]): boolean {
  const name = spelled.toLowerCase();
  return !FORBIDDEN.has(name) && !FORBIDDEN_PREFIX.test(name) && !isWrittenByProxy(name);
}
