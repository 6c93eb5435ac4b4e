/** Warns of limits that never count anything. */
import type { Section } from '../../syntax/section.ts';
import type { Path } from '../../syntax/source-file.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { LimitSettings } from '../../types/limits.ts';
import type { Route } from '../../types/route.ts';

/** The parts of an l7 listener that the warnings need. */
interface LimitedListener {
  readonly access: AccessSettings | null;
  readonly limits: readonly LimitSettings[];
  readonly routes: readonly Route[];
}

/** Warns of limits by claims without tokens, and of message limits without WebSocket routes. */
export function warnOfIdleLimits(listener: Section, { access, limits, routes }: LimitedListener): void {
  if (limits.length > 0) {
    warnOf(listener, listener.path, limits, [access, ...routes.map((route) => route.access)], routes);
  }
  for (const [index, route] of routes.entries()) {
    if (route.limits.length === 0) continue;
    warnOf(listener, [...listener.path, 'routes', index], route.limits, [route.access], [route]);
  }
}

function warnOf(
  { problems }: Section,
  path: Path,
  limits: readonly LimitSettings[],
  accesses: readonly (AccessSettings | null)[],
  routes: readonly Route[],
): void {
  const hasTokens = accesses.some((access) => access !== null && access.jwt !== null);
  const hasSessions = routes.some(({ action }) => action.kind === 'cluster' && action.upgrade !== 'never');
  for (const [index, { key, messages, bytes }] of limits.entries()) {
    const place = [...path, 'limits', index];
    if (key.kind === 'claim' && !hasTokens) {
      problems.warning(
        [...place, 'key'],
        'no request has claims here, so nothing is limited: set access.jwt, or use another key',
      );
    }
    if ((messages !== null || bytes !== null) && !hasSessions) {
      problems.warning(
        place,
        'nothing here opens WebSockets, so no messages are counted: limit requests instead',
      );
    }
  }
}
