import { hostOf } from './host-header.ts';

/** The parts of a request target (RFC 9112 section 3.2). */
export interface RequestTarget {
  /** `*` for the asterisk-form. */
  readonly path: string;
  /** The text after the first `?`; empty without one. */
  readonly query: string;
  /** Host and port of the absolute-form; null for other forms. */
  readonly authority: string | null;
}

/** An absolute-form target with a scheme that sluice serves: authority, path and query. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(\/[^?]*)?(?:\?(.*))?$/i;

/**
 * Parses a target that does not start with a slash.
 *
 * @param method as received: only OPTIONS may ask for `*`
 * @returns null for a target to refuse: authority-form, another scheme, user information, a bad host or port
 */
export function readTarget(method: string, target: string): RequestTarget | null {
  if (target === '*') return method === 'OPTIONS' ? { path: '*', query: '', authority: null } : null;
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return null;
  const [, authority = '', path, query] = match;
  if (hostOf(authority) === null) return null;
  // RFC 9112 section 3.2.4: OPTIONS for the whole server has an empty path here.
  const isWhole = method === 'OPTIONS' && path === undefined && query === undefined;
  return { path: path ?? (isWhole ? '*' : '/'), query: query ?? '', authority };
}
