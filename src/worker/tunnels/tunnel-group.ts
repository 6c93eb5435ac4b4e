import type { Tunnel, TunnelContext } from '../../l4/tunnel.ts';
import type { ConnectionGroup } from '../generations/layer.ts';

const NO_HANDSHAKES: ReadonlySet<never> = new Set();

/** Whether a context of either layer has tunnels. */
export function hasTunnels(context: object): context is TunnelContext {
  return 'tunnels' in context;
}

/**
 * Returns the tunnels of a context. There are no handshakes: a tunnel is live, and can be drained, as soon as
 * its cluster is known.
 */
export function tunnelGroup({ config, cluster, tunnels }: TunnelContext): ConnectionGroup<Tunnel> {
  return {
    listener: config.name,
    route: '',
    cluster: cluster.name,
    live: tunnels,
    sessions: [],
    tunnels,
    handshakes: [],
    pending: NO_HANDSHAKES,
  };
}
