import type { EndpointHealth } from '../protocol/cluster-state.ts';

interface Member {
  readonly health: EndpointHealth;
  readonly priority: number;
}

/** Which endpoints of a cluster take connections. */
interface Membership<T extends Member> {
  readonly eligible: readonly T[];
  /** Panic: all endpoints but the draining ones are used, because too few are up. */
  readonly panic: boolean;
}

/**
 * Chooses the endpoints that take connections: of those that are up, the ones with the lowest priority number.
 *
 * If the percentage of endpoints that are up is below the threshold, all but the draining ones are used. The few that are
 * up would break down under the load of all, and the health checks themselves may be broken.
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
