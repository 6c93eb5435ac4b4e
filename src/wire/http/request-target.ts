import { hostOf } from './host-header.ts';

/** A request target, taken apart (RFC 9112 section 3.2). */
export interface RequestTarget {
  /** `*` for the asterisk-form. */
  readonly path: string;
  /** The text behind the first `?`; empty without one. */
  readonly query: string;
  /** Host and port of the absolute-form; null for other forms. */
  readonly authority: string | null;
}

/** The schemes that reach an HTTP server, an authority, a path and a query. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(\/[^?]*)?(?:\?(.*))?$/i;

/**
 * Reads a target that does not begin with a slash.
 *
 * @param method as received: only OPTIONS may ask for `*`
 * @returns null for a target that is refused: authority-form, another scheme, user information, a bad host or port
 */
export function readTarget(method: string, target: string): RequestTarget | null {
  if (target === '*') return method === 'OPTIONS' ? { path: '*', query: '', authority: null } : null;
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return null;
  const [, authority = '', path, query] = match;
  if (hostOf(authority) === null) return null;
  // RFC 9112 section 3.2.4: OPTIONS of a server as a whole has an empty path here.
  const isWhole = method === 'OPTIONS' && path === undefined && query === undefined;
  return { path: path ?? (isWhole ? '*' : '/'), query: query ?? '', authority };
}
