/**
 * The contract of layer 4. Every engine keeps it, and one test suite checks it.
 *
 * - Each client connection has one upstream connection of its own. Bytes cross exactly, unread and in order.
 * - Nothing is read from the client before an endpoint has accepted. A dial that fails is tried on other
 *   endpoints; if none accepts, the client is closed. A client that resets meanwhile does not end the dial: the
 *   endpoint gets the client's bytes, then the reset.
 * - FIN crosses as FIN, each direction by itself. A reset crosses as a reset, never as FIN: cut data must not look whole.
 *   It waits for the bytes that came before it and were read, as long as the other side takes them (`reset-linger.ts`).
 * - A side that does not read stops the other from sending: the bytes that wait in a tunnel are bounded.
 * - A tunnel on which nothing crosses for the listener's idleTimeout is closed. A half-closed one, which has passed on
 *   the FIN of one side, is closed when nothing crosses for halfCloseTimeout.
 */
import type { L4Listener as L4ListenerConfig } from '../config/types/listener.ts';
import type { LiveMember, LiveSet } from '../core/collections/live-set.ts';
import type { TimerWheel } from '../core/timing/timer-wheel.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { DescriptorGate } from '../upstream/descriptor-gate.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { TunnelStats } from './tunnel-stats.ts';

/** What the tunnels of one listener share while their configuration is in use. */
export interface TunnelContext {
  readonly config: L4ListenerConfig;
  readonly cluster: Cluster;
  readonly stats: TunnelStats;
  readonly descriptors: DescriptorGate;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Writes the access lines; null without an access log. */
  readonly access: Logger | null;
  /** The live tunnels under this context. */
  readonly tunnels: LiveSet<Tunnel>;
}

/** A tunnel, as its listener and its worker see it. */
export interface Tunnel extends LiveMember {
  /** The endpoint that the tunnel leads to; null before one has been found. */
  readonly endpoint: Endpoint | null;
  /** Whether the tunnel is joined to an endpoint. @param endpoint its label */
  isOf(cluster: string, endpoint: string): boolean;
  /** Ends the tunnel so that its client connects elsewhere. Returns false if it has ended already. */
  evict(reason: string): boolean;
  /** Ends both sides with FIN if nothing has crossed for {@link QUIET_MS} and nothing waits. Returns whether it did. */
  drain(): boolean;
  /** Takes {@link drain} back. */
  undrain(): void;
  /** Ends both sides now, with FIN. */
  end(): void;
  /** Cuts both sides now, in any state. */
  abort(): void;
}

/** Silence after which a tunnel is taken to be between two messages. */
export const QUIET_MS = 1000;

/** An engine's part of one layer 4 listener: its listening socket. */
export interface TunnelListener {
  /** Resolves when connections are accepted; rejects if the address cannot be bound. */
  listen(): Promise<void>;
  /** Whether the listener accepts connections. */
  readonly listens: boolean;
  /** Whether the listener can serve a configuration with the socket that it has. */
  fits(config: L4ListenerConfig): boolean;
  /** Takes another context for the tunnels to come. Live tunnels keep theirs. */
  use(context: TunnelContext): void;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from the first of those sockets: see `sys/sockets/hand-over.ts`
   */
  leave(from: number | null): void;
  /** Accepts no more connections. Tunnels live on, and the listener may listen again. May be called again. */
  stop(): void;
}
