import type { EndpointHealth } from '../protocol/cluster-state.ts';

interface Member {
  readonly health: EndpointHealth;
  readonly priority: number;
}

/** The endpoints of a cluster that accept connections. */
interface Membership<T extends Member> {
  readonly eligible: readonly T[];
  /** Panic mode: too few endpoints are up, so all except the draining ones accept connections. */
  readonly panic: boolean;
}

/**
 * Chooses the endpoints that accept connections: those that are up and have the lowest priority number.
 *
 * If the percentage of endpoints up is below the threshold, all except the draining ones are used. The few
 * endpoints up would break down under the full load, and the health checks may be faulty.
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
