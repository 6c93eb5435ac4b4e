import type { Rewrite } from '../config/types/route.ts';
import { hasDotSegment } from './path-readings.ts';
import { normalizePattern } from './request-path.ts';

/** Returns the path for the upstream request; null to refuse the request. */
type PathRewriter = (path: string, groups: readonly string[]) => string | null;

/**
 * Creates the function that rewrites a route's paths. It returns null if the new path has a dot segment, or
 * can be read as if it had: `/img../secret` must not become `/static/../secret`. Leading slashes become one,
 * because some servers read `//name` as a host.
 */
export function pathRewriter({ stripPrefix: prefix, path: to }: Rewrite): PathRewriter {
  const pattern = prefix === null ? null : normalizePattern(prefix);
  if (pattern === null && to === null) return (path) => path;
  return (path, groups) => {
    // The request is for the server as a whole (RFC 9110 section 9.3.7).
    if (path === '*') return path;
    const rewritten = to !== null ? expandGroups(to, groups) : stripPrefix(path, pattern!);
    if (rewritten === path) return path;
    if (hasDotSegment(rewritten)) return null;
    return to?.startsWith('//') === true ? rewritten : rewritten.replace(/^\/{2,}/, '/');
  };
}

/**
 * Removes a prefix from a path if it ends at a segment boundary. `/chat` changes `/chat/x` to `/x` and
 * `/chat` to `/`, but not `/chatter`. A prefix with a trailing slash does the same, but leaves `/chat`
 * unchanged.
 *
 * @param path a normalized path
 * @param prefix prefix in the same form (`normalizePattern`)
 * @returns a path that starts with a slash
 */
export function stripPrefix(path: string, prefix: string): string {
  if (!path.startsWith(prefix)) return path;
  if (prefix.endsWith('/')) return path.slice(prefix.length - 1);
  if (path.length === prefix.length) return '/';
  return path.charAt(prefix.length) === '/' ? path.slice(prefix.length) : path;
}

/**
 * Returns the path for the upstream request. `$1` to `$9` insert the groups of the route's pathRegex, `$$` a
 * dollar sign.
 *
 * @param to starts with a slash
 * @param groups parts of a normalized path, which need no escaping
 */
function expandGroups(to: string, groups: readonly string[]): string {
  return to.replace(/\$([1-9$])/g, (_, name: string) =>
    name === '$' ? '$' : (groups[Number(name) - 1] ?? ''),
  );
}

/**
 * Returns the Location of a redirect. In the target, `$1` to `$9` insert the groups of the route's pathRegex,
 * or nothing for a missing group. `$$` inserts a dollar sign. Any other `$` is literal.
 *
 * Inserts the request's query before a fragment, unless the target has a query. A target that ends in `?` has
 * an empty query, and drops the request's.
 *
 * @param query query as received, without the `?`
 * @returns a URI reference of visible ASCII; all other characters are escaped, including line ends and NUL.
 * It starts with two slashes only if the target does, so groups cannot name another host. Null if groups add
 * a dot segment to the path, or a part that can be read as one.
 */
export function expandRedirect(to: string, groups: readonly string[], query: string): string | null {
  let location = expandGroups(to, groups);
  if (location !== to && hasDotSegment(location.replace(/[?#].*$/s, ''))) return null;
  if (!to.startsWith('//')) location = location.replace(/^\/[/\\]+/, '/');
  const hash = location.indexOf('#');
  const end = hash === -1 ? location.length : hash;
  if (query !== '' && !location.slice(0, end).includes('?')) {
    location = `${location.slice(0, end)}?${query.replaceAll('#', '%23')}${location.slice(end)}`;
  }
  // A lone surrogate has no encoding: it becomes the replacement character.
  return location.replace(/[\ud800-\udfff]/gu, '\ufffd').replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}
