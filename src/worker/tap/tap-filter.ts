import type { TapFilter } from '../../protocol/tap.ts';
import type { TappedPlace, TappedSession } from '../../telemetry/tap/tap.ts';

/** Whether a session meets all conditions. @param id as in `GET /sessions` */
export function fitsSession(filter: TapFilter, session: TappedSession, id: string): boolean {
  const { route, principal } = filter;
  if (filter.session !== undefined && filter.session !== id) return false;
  if (route !== undefined && route !== session.route) return false;
  if (principal !== undefined && !isNamed(session.principal, principal)) return false;
  return fitsPlace(filter, session);
}

/** Whether a tunnel meets all conditions. A tunnel has no session id, route or principal. */
export function fitsTunnel(filter: TapFilter, tunnel: TappedPlace): boolean {
  const { session, route, principal } = filter;
  return session === undefined && route === undefined && principal === undefined && fitsPlace(filter, tunnel);
}

function fitsPlace(filter: TapFilter, place: TappedPlace): boolean {
  const { listener, cluster, endpoint, client } = filter;
  if (listener !== undefined && listener !== place.listener) return false;
  if (cluster !== undefined && cluster !== place.cluster) return false;
  if (endpoint !== undefined && endpoint !== place.endpoint) return false;
  return client === undefined || client === place.client;
}

/** @param wanted with its kind, or a bare name for all kinds */
function isNamed(principal: string, wanted: string): boolean {
  return principal === wanted || principal.slice(principal.indexOf(':') + 1) === wanted;
}
