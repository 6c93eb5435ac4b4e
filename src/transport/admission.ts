/** The decisions and log lines that both layers share for newly accepted connections. */
import type { ConnectionStats } from '../telemetry/connection-stats.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Decides whether a descriptor is left for a client: `DescriptorGate` of `upstream/`. */
interface ClientGate {
  admits(listener: string, descriptor?: number): boolean;
}

/**
 * Returns the reason to refuse an accepted connection that is not counted yet. Null to serve it.
 *
 * @param descriptor the connection's; undefined if unknown
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

/** Logs an error thrown while serving a connection. The connection is lost, and the worker continues. */
export function logFault(log: Pick<Logger, 'error'>, listener: string, error: unknown): void {
  log.error({ err: error, listener }, 'serving a connection failed');
}
