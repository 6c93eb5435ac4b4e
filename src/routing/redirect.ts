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

/** A group as a part of a host: labels, without the characters that end a host or begin a port. */
const HOST_PART = /^[\w.~-]*$/;

/**
 * Creates the function that makes the Location of a redirect. In the target, `$1` to `$9` insert the groups of
 * the route's pathRegex, or nothing for a missing group. `$host` inserts the request's host without a port,
 * `$path` its path, and `$query` its query with the `?`, or nothing. `$$` inserts a dollar sign.
 *
 * Behind a `?` or `#` of the target, host, path and query are escaped, so that each stays one value. The
 * request's query is kept if the target has none. A target that ends in `?` has an empty query, and drops the
 * request's.
 *
 * A Location is a URI reference of visible ASCII; all other characters are escaped, including line ends and
 * NUL. It starts with two slashes only if the target does. A request gets none if an inserted value would add
 * a dot segment to the path, or a part that can be read as one. The same holds if a group would extend the
 * target's host.
 */
export function createRedirect(to: string): Redirect {
  const { authority, path, rest } = targetParts(to);
  const names = [...authority, ...path, ...rest].flatMap((part) => ('name' in part ? [part.name] : []));
  const isFixed = [...authority, ...path].every((part) => 'text' in part);
  return (request) => {
    if (request.host === '' && names.includes('host')) return { fault: 'no host' };
    const valueOf = (name: string): string => valueIn(request, name);
    const origin = expandAuthority(authority, path, valueOf);
    if (origin === null) return { fault: 'another host' };
    let location = origin + expandTemplate(path, valueOf);
    if (!isFixed && hasDotSegment(location.replace(/[?#].*$/s, ''))) return { fault: 'dot segment' };
    if (origin === '') location = location.replace(/^\/[/\\]+/, '/');
    location += expandTemplate(rest, (name) => (isGroup(name) ? valueOf(name) : escapeAll(valueOf(name))));
    return wellFormed(withQuery(location, request.query)).replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  };
}

/**
 * Returns scheme and host with their placeholders replaced. Null if a group would extend the host: it may be
 * a part of the host that the target ends, or begin the path.
 *
 * @param path the target's path, which begins with a slash unless it is empty
 */
function expandAuthority(
  authority: readonly TemplatePart[],
  path: readonly TemplatePart[],
  valueOf: (name: string) => string,
): string | null {
  let text = '';
  let isInHost = true;
  for (const [index, part] of authority.entries()) {
    if ('text' in part) {
      text += part.text;
      continue;
    }
    const value = valueOf(part.name);
    if (isInHost && value !== '' && isGroup(part.name)) {
      const next = authority[index + 1] ?? path[0];
      const isEnded = next !== undefined && 'text' in next;
      if (isEnded ? !HOST_PART.test(value) : !value.startsWith('/')) return null;
      isInHost = isEnded;
    }
    isInHost &&= part.name !== 'path' && part.name !== 'query';
    text += value;
  }
  return text;
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

function escapeAll(text: string): string {
  return encodeURIComponent(wellFormed(text));
}

/** Replaces lone surrogates, which have no encoding, by the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd');
}
