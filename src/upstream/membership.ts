import type { EndpointHealth } from '../protocol/cluster-state.ts';

interface Member {
  readonly health: EndpointHealth;
  readonly priority: number;
}

/** Which endpoints of a cluster take connections. */
interface Membership<T extends Member> {
  readonly eligible: readonly T[];
  /** Panic: so many endpoints are down that all are used. */
  readonly panic: boolean;
}

/**
 * Chooses the endpoints that take connections: those that are up, of the lowest priority number that has any.
 * If less than the threshold is up, all but the draining ones are used: the few that are up would break down under the load
 * of all, and the health checks themselves may be broken.
 *
 * @param panicThreshold percent, 0 for never
 */
export function membershipOf<T extends Member>(
  endpoints: readonly T[],
  panicThreshold: number,
): Membership<T> {
  const candidates = endpoints.filter(({ health }) => health !== 'draining');
  const up = candidates.filter(({ health }) => health === 'up');
  if (candidates.length > 0 && up.length * 100 < candidates.length * panicThreshold) {
    return { eligible: candidates, panic: true };
  }
  const lowest = up.reduce((least, { priority }) => Math.min(least, priority), Infinity);
  return { eligible: up.filter(({ priority }) => priority === lowest), panic: false };
}
