/** Routes that an earlier route makes unreachable. */
import type { LinearExpression } from '../../../core/linear-expression.ts';
import type { ClientCertificateMatch, RouteMatch } from '../../types/route.ts';

/**
 * Tells whether the earlier match takes every request that the later match takes. False may also mean that the conditions
 * do not tell: two regular expressions may match the same paths.
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
    (earlier.subprotocol === null || earlier.subprotocol === later.subprotocol) &&
    coversCertificate(earlier.clientCertificate, later.clientCertificate)
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

/** Tells whether a path is below a prefix of whole segments. */
export function isBelow(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function coversCertificate(
  earlier: ClientCertificateMatch | null,
  later: ClientCertificateMatch | null,
): boolean {
  if (earlier === null) return true;
  const keys = ['subject', 'san', 'fingerprint'] as const;
  return later !== null && keys.every((key) => earlier[key] === null || earlier[key] === later[key]);
}

function containsAll(whole: ReadonlyMap<string, string>, part: ReadonlyMap<string, string>): boolean {
  return [...part].every(([name, value]) => whole.get(name) === value);
}
