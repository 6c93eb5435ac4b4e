import type { TunnelContext } from './tunnel.ts';

/**
 * Why a connection that has been accepted, and is not counted yet, is refused; null if it is not.
 *
 * @param descriptor its number; undefined if it is not known
 */
export function refusalOf(
  { config, stats: { connections }, descriptors }: Pick<TunnelContext, 'config' | 'stats' | 'descriptors'>,
  descriptor: number | undefined,
): 'limit' | 'descriptors' | null {
  if (!descriptors.admits(config.name, descriptor)) return 'descriptors';
  return config.maxConnections > 0 && connections.active >= config.maxConnections ? 'limit' : null;
}
