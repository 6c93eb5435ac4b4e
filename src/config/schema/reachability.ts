/** Whether one route leaves anything to another. */
import type { LinearExpression } from '../../core/linear-expression.ts';
import type { RouteMatch } from '../types/route.ts';

/**
 * Whether every request that the later match takes is taken by the earlier one. False means only that this cannot
 * be told from the conditions as they stand: two regular expressions may match the same paths.
 *
 * @param expression the earlier match's pathRegex, compiled
 */
export function covers(earlier: RouteMatch, later: RouteMatch, expression: LinearExpression | null): boolean {
  return (
    coversHost(earlier.host, later.host) &&
    (earlier.path === null || earlier.path === later.path) &&
    coversPrefix(earlier.pathPrefix, later) &&
    coversRegex(expression, later) &&
    containsAll(later.headers, earlier.headers) &&
    containsAll(later.query, earlier.query) &&
    (earlier.subprotocol === null || earlier.subprotocol === later.subprotocol)
  );
}

function coversHost(earlier: string | null, later: string | null): boolean {
  if (earlier === null || earlier === later) return true;
  return earlier.startsWith('*.') && (later ?? '').endsWith(earlier.slice(1));
}

function coversPrefix(prefix: string | null, later: RouteMatch): boolean {
  if (prefix === null || prefix === '/') return true;
  return [later.path, later.pathPrefix].some((path) => path !== null && isBelow(prefix, path));
}

function coversRegex(expression: LinearExpression | null, later: RouteMatch): boolean {
  if (expression === null || expression.source === later.pathRegex) return true;
  return later.path !== null && expression.test(later.path);
}

/** Whether a path lies under a prefix, on the borders of its segments. */
export function isBelow(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function containsAll(whole: ReadonlyMap<string, string>, part: ReadonlyMap<string, string>): boolean {
  return [...part].every(([name, value]) => whole.get(name) === value);
}
