import { expandTemplate, targetParts, type TemplatePart } from '../core/template.ts';
import { hasDotSegment } from './path-readings.ts';

/** The parts of a request that a redirect's target can insert. */
export interface RedirectedRequest {
  /** As returned by `hostOf`; empty for an HTTP/1.0 request without a host. */
  readonly host: string;
  /** The normalized path, or `*`. */
  readonly path: string;
  /** As received, without the `?`. */
  readonly query: string;
  /** Groups of the route's pathRegex, from `$1`. */
  readonly groups: readonly string[];
}

/** Why a request gets no Location. */
export type LocationFault = 'dot segment' | 'no host' | 'another host';

/** Returns the Location for a request, or why it gets none. */
type Redirect = (request: RedirectedRequest) => string | { readonly fault: LocationFault };

/** A placeholder before the path, and the values that keep the host. */
interface HostPlaceholder {
  readonly name: string;
  readonly allowed: RegExp;
}

type HostPart = { readonly text: string } | HostPlaceholder;

/** Allowed values of a group, by its place in the host. Each allows an empty value. */
const ALLOWED = {
  /** Before a dot, such as `$1.example.com`. */
  labels: /^(?:\w[\w-]*(?:\.\w[\w-]*)*)?$/,
  /** Before a part of a label whose parents are written, such as `$1-eu.example.com`. */
  labelStart: /^(?:\w[\w-]*(?:\.\w[\w-]*)*\.?)?$/,
  /** Before other labels, such as `$1example.com`. */
  wholeLabels: /^(?:\w[\w-]*\.)*$/,
  /** At the end. Without dots, and no number, because a host with a number at its end is an IPv4 address. */
  lastLabel: /^(?:(?!(?:\d+|0x[\da-f]*)$)\w[\w-]*)?$/i,
  port: /^\d{0,5}$/,
  /** Behind a whole host. */
  path: /^(?:\/.*)?$/s,
  pathOrQuery: /^(?:[/?].*)?$/s,
  any: /^/,
} as const;
const HOST_START = /^(?:https?:)?\/\/[^/\\?#:.]/i;
const QUERY_OR_FRAGMENT = /[?#].*$/s;
const LEADING_SLASHES = /^\/[/\\]+/;
/** Characters that end a value of a query, or stand for another one. */
const QUERY_DELIMITERS = /[&=+#]/g;
const NOT_VISIBLE = /[^\x21-\x7e]/gu;

/**
 * Creates the function that makes the Location of a redirect. In the target, `$1` to `$9` insert the groups of
 * the route's pathRegex, or nothing for a missing group. `$host` inserts the request's host without a port,
 * `$path` its path, and `$query` its query with the `?`, or nothing. `$$` inserts a dollar sign.
 *
 * Behind a `?` or `#` of the target, host, path and query are escaped, so that each stays one value. Groups keep
 * their escapes, and only `&`, `=`, `+` and `#` are escaped. The request's query is kept if the target has none.
 * A target that ends in `?` has an empty query, and drops the request's.
 *
 * A Location is a URI reference of visible ASCII; all other characters are escaped, including line ends and
 * NUL. It starts with two slashes only if the target does. A request gets none if an inserted value would add
 * a dot segment to the path, or a part that can be read as one. The same holds if a value would change the
 * target's host, except for labels that a group stands for.
 */
export function createRedirect(to: string): Redirect {
  const { authority, path, rest } = targetParts(to);
  const host = hostParts(authority);
  const needsHost = [...authority, ...path, ...rest].some((part) => 'name' in part && part.name === 'host');
  const isFixed = [...authority, ...path].every((part) => 'text' in part);
  return (request) => {
    if (needsHost && request.host === '') return { fault: 'no host' };
    const valueOf = (name: string): string => valueIn(request, name);
    const origin = expandHost(host, valueOf);
    if (origin === null) return { fault: 'another host' };
    let location = origin + expandTemplate(path, valueOf);
    if (!isFixed && hasDotSegment(location.replace(QUERY_OR_FRAGMENT, ''))) return { fault: 'dot segment' };
    if (origin === '') location = location.replace(LEADING_SLASHES, '/');
    location += expandTemplate(rest, (name) => escapeValue(name, valueOf(name)));
    return wellFormed(withQuery(location, request.query)).replace(NOT_VISIBLE, encodeURIComponent);
  };
}

/** Returns scheme and host with the values that each placeholder may have. */
function hostParts(authority: readonly TemplatePart[]): readonly HostPart[] {
  return authority.map((part, index) =>
    'text' in part ? part : { name: part.name, allowed: allowedAt(authority, index, part.name) },
  );
}

function allowedAt(authority: readonly TemplatePart[], index: number, name: string): RegExp {
  if (name === 'path' || name === 'query') return ALLOWED.pathOrQuery;
  if (!isGroup(name)) return ALLOWED.any;
  const after = hostAfter(authority.slice(index + 1));
  if (/^\.[\w-]/.test(after)) return ALLOWED.labels;
  if (/^[\w~-]+(?:\.[\w-]+){2}/.test(after)) return ALLOWED.labelStart;
  if (/^[\w-]/.test(after)) return ALLOWED.wholeLabels;
  const before = authority[index - 1];
  // The request's host may end in a dot too: only the target's own text begins a label or a port.
  if (before === undefined || !('text' in before) || after.startsWith('~')) return ALLOWED.path;
  if (/(?:\/\/|[.@])$/.test(before.text)) return ALLOWED.lastLabel;
  return before.text.endsWith(':') ? ALLOWED.port : ALLOWED.path;
}

/** Returns the rest of the host, with a label for the request's host and a tilde for each group. */
function hostAfter(parts: readonly TemplatePart[]): string {
  let text = '';
  for (const part of parts) {
    if ('text' in part) text += part.text;
    else if (part.name === 'host') text += part.name;
    else if (isGroup(part.name)) text += '~';
    else break;
  }
  return text;
}

/**
 * Returns scheme and host with their placeholders replaced. Null if a value would change the host, or leave it
 * empty: browsers take the first segment of the path for an empty host.
 */
function expandHost(parts: readonly HostPart[], valueOf: (name: string) => string): string | null {
  if (parts.length === 0) return '';
  let text = '';
  let isInHost = true;
  for (const part of parts) {
    if ('text' in part) {
      text += part.text;
      continue;
    }
    const value = valueOf(part.name);
    if (isInHost && !part.allowed.test(value)) return null;
    isInHost &&= !/^[/?]/.test(value);
    text += value;
  }
  return HOST_START.test(text) ? text : null;
}

function valueIn({ host, path, query, groups }: RedirectedRequest, name: string): string {
  switch (name) {
    case 'host':
      return host;
    case 'path':
      // The request is for the server as a whole (RFC 9110 section 9.3.7).
      return path === '*' ? '/' : path;
    case 'query':
      return query === '' ? '' : `?${query.replaceAll('#', '%23')}`;
    default:
      return groups[Number(name) - 1] ?? '';
  }
}

function isGroup(name: string): boolean {
  return /^[1-9]$/.test(name);
}

/** Adds the request's query before the fragment, unless the location has a query. */
function withQuery(location: string, query: string): string {
  const hash = location.indexOf('#');
  const end = hash === -1 ? location.length : hash;
  if (query === '' || location.slice(0, end).includes('?')) return location;
  return `${location.slice(0, end)}?${query.replaceAll('#', '%23')}${location.slice(end)}`;
}

/** Escapes a value behind a `?` or `#` of the target. */
function escapeValue(name: string, value: string): string {
  if (isGroup(name)) return value.replace(QUERY_DELIMITERS, encodeURIComponent);
  return encodeURIComponent(wellFormed(value));
}

/** Replaces lone surrogates, which have no encoding, by the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd');
}
