import type { Rewrite } from '../config/types/route.ts';
import { expandTemplate, templateParts, type TemplatePart } from '../core/template.ts';
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
  const parts = to === null ? null : templateParts(to);
  return (path, groups) => {
    // The request is for the server as a whole (RFC 9110 section 9.3.7).
    if (path === '*') return path;
    const rewritten = parts !== null ? expandGroups(parts, groups) : stripPrefix(path, pattern!);
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
function expandGroups(to: readonly TemplatePart[], groups: readonly string[]): string {
  return expandTemplate(to, (name) => groups[Number(name) - 1] ?? '');
}
