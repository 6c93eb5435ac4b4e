import type { TunnelContext } from './tunnel.ts';

/**
 * Returns why to refuse a connection that was accepted and is not counted yet; null to serve it.
 *
 * @param descriptor the connection's; undefined if it is not known
 */
export function refusalOf(
  { config, stats: { connections }, descriptors }: Pick<TunnelContext, 'config' | 'stats' | 'descriptors'>,
  descriptor: number | undefined,
): 'limit' | 'descriptors' | null {
  if (!descriptors.admits(config.name, descriptor)) return 'descriptors';
  return config.maxConnections > 0 && connections.active >= config.maxConnections ? 'limit' : null;
}
