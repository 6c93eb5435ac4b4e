/** Says why a client's connection gets no tunnel, as the statistics count it. */
import type { L4Listener } from '../config/types/listener.ts';
import type { ConnectionStats } from '../telemetry/connection-stats.ts';
import { attemptsEndOf, type AttemptsEnd } from '../upstream/attempts/failure-table.ts';
import type { DescriptorGate } from '../upstream/descriptor-gate.ts';

type Rejection = 'overload' | 'no_endpoint' | 'dial_failed' | 'own_shortage' | 'descriptors';

const REJECTIONS: Readonly<Record<AttemptsEnd, Rejection>> = {
  no_endpoint: 'no_endpoint',
  overload: 'overload',
  descriptors: 'descriptors',
  refused: 'dial_failed',
  timeout: 'dial_failed',
  reset: 'dial_failed',
  unreachable: 'dial_failed',
  tls: 'dial_failed',
  handshake: 'dial_failed',
  other: 'dial_failed',
  own_shortage: 'own_shortage',
  own_ports: 'own_shortage',
};

/** Returns what a connection counts as whose attempts have ended without an endpoint. */
export function rejectionOf(attempts: Parameters<typeof attemptsEndOf>[0]): Rejection {
  return REJECTIONS[attemptsEndOf(attempts)];
}

/**
 * Returns why to refuse a connection that was accepted and is not counted yet; null to serve it.
 *
 * @param descriptor the connection's; undefined if it is unknown
 */
export function refusalOf(
  { name, maxConnections }: Pick<L4Listener, 'name' | 'maxConnections'>,
  connections: Pick<ConnectionStats, 'active'>,
  descriptors: Pick<DescriptorGate, 'admits'>,
  descriptor: number | undefined,
): 'limit' | 'descriptors' | null {
  if (!descriptors.admits(name, descriptor)) return 'descriptors';
  return maxConnections > 0 && connections.active >= maxConnections ? 'limit' : null;
}
