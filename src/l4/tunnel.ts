/**
 * What layer 4 promises, whatever carries it. Every engine keeps this contract, and one test suite checks it.
 *
 * - Each client connection has one upstream connection of its own. Bytes cross exactly, unread and in order.
 * - Nothing is read from the client before an endpoint has accepted. A dial that fails is tried on other
 *   endpoints; where none accepts, the client is closed.
 * - FIN crosses as FIN, each direction by itself; a reset crosses as a reset.
 * - A side that does not read stops the other from sending: what waits in a tunnel is bounded.
 * - A tunnel on which nothing crosses for the listener's idleTimeout is closed.
 */
import type { Logger } from '../telemetry/logger.ts';
import type { L4Listener as L4ListenerConfig } from '../config/types.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { TunnelStats } from './tunnel-stats.ts';

/** What an engine's listener works with. */
export interface TunnelContext {
  readonly config: L4ListenerConfig;
  readonly cluster: Cluster;
  readonly stats: TunnelStats;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Writes the access lines, or null where there are none. */
  readonly access: Logger | null;
}

/** A tunnel that can be ended from this side. */
interface EvictableTunnel {
  /** Ends it; false where it has ended already. */
  evict(reason: string): boolean;
}

/** A bound address whose connections become tunnels. */
export interface TunnelListener {
  /** Resolves when connections are accepted; rejects where the address cannot be bound. */
  listen(): Promise<void>;
  /** Accepts no more connections; tunnels live on. */
  stop(): void;
  /** Tunnels that live, those being dialled included. */
  readonly active: number;
  /** The tunnels that live of one endpoint, given by its label. */
  tunnelsOf(cluster: string, endpoint: string): EvictableTunnel[];
  /** Ends every tunnel now. */
  abort(): void;
}
