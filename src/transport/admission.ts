/** What both layers decide and say about connections that have just been accepted. */
import type { ConnectionStats } from '../telemetry/connection-stats.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Tells whether a descriptor is left for a client: `DescriptorGate` of `upstream/`. */
interface ClientGate {
  admits(listener: string, descriptor?: number): boolean;
}

/**
 * Returns why to refuse a connection that was accepted and is not counted yet; null to serve it.
 *
 * @param descriptor the connection's; undefined if it is unknown
 */
export function refusalOf(
  { name, maxConnections }: { readonly name: string; readonly maxConnections: number },
  connections: Pick<ConnectionStats, 'active'>,
  gate: ClientGate,
  descriptor: number | undefined,
): 'limit' | 'descriptors' | null {
  if (!gate.admits(name, descriptor)) return 'descriptors';
  return maxConnections > 0 && connections.active >= maxConnections ? 'limit' : null;
}

/** Logs that serving a connection has thrown. The connection is lost, and the worker goes on. */
export function logFault(log: Pick<Logger, 'error'>, listener: string, error: unknown): void {
  log.error({ err: error, listener }, 'serving a connection failed');
}
