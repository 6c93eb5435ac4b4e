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
import type { TcpAddress } from '../core/address.ts';
import type { LiveMember, LiveSet } from '../core/collections/live-set.ts';
import type { TimerWheel } from '../core/timing/timer-wheel.ts';
import type { Journal } from '../telemetry/journal/journal.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TappedTunnel, Taps, TunnelTap } from '../telemetry/tap/tap.ts';
import type { EntryFacts, EntryRejection, EntryTerms } from '../transport/entry.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { TunnelStats } from './tunnel-stats.ts';

/** What a listener of either layer sets for its tunnels. */
export type TunnelSettings = Pick<L4ListenerConfig, 'name' | 'idleTimeoutMs' | 'halfCloseTimeoutMs'>;

/** What the tunnels from one listener to one cluster share while their settings are in use. */
export interface TunnelContext {
  readonly config: TunnelSettings;
  readonly cluster: Cluster;
  readonly stats: TunnelStats;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Hears of tunnels. */
  readonly journal: Journal;
  /** Watch tunnels. */
  readonly taps: Taps;
  /** The live tunnels under this context. */
  readonly tunnels: LiveSet<Tunnel>;
}

/** A tunnel, as its listener and its worker see it. */
export interface Tunnel extends LiveMember {
  /** The endpoint that the tunnel leads to; null before one has been found. */
  readonly endpoint: Endpoint | null;
  /** What is known of the tunnel; null before it has an endpoint, and behind its end. */
  readonly place: TappedTunnel | null;
  /** Watches the tunnel; null for nothing. It may be set while {@link place} is not null, and is null behind the end. */
  tap: TunnelTap | null;
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

/** What an engine's part of a layer 4 listener needs of the listener. */
export interface TunnelOwner {
  readonly address: TcpAddress;
  /** What connections that are accepted now have to send first. */
  readonly entry: EntryTerms;
  /**
   * Counts a connection that has been accepted.
   *
   * @param descriptor undefined if it is unknown
   * @returns false if it must be refused: then it is not open
   */
  arrived(descriptor: number | undefined): boolean;
  /**
   * Chooses where a connection that has arrived goes. If it must be refused, counts it, and returns why.
   *
   * @param since when it was accepted, by the clock of `performance.now()`
   */
  choose(facts: EntryFacts, since: number): TunnelContext | TunnelRefusal;
  /** A connection that has arrived has failed, and is closed. */
  rejected(rejection: EntryRejection): void;
  /** A connection that has arrived is closed for no reason of its own: see `ArrivalOwner`. */
  lost(fault: unknown): void;
  /** Counts a connection that could not be accepted: see `AcceptorOwner` of `transport/acceptor.ts`. */
  acceptFailed(code: string, isFirst: boolean): boolean;
  /** Logs that serving a connection has thrown. The connection is lost. */
  acceptFault(error: unknown): void;
}

/** Why a connection gets no tunnel: no cluster for its server name, or the listener is drained. */
export type TunnelRefusal = 'server_name' | 'draining';

/** An engine's part of one layer 4 listener: its listening socket, and the connections without a tunnel. */
export interface TunnelListener {
  /** Resolves when connections are accepted; rejects if the address cannot be bound. */
  listen(): Promise<void>;
  /** Whether the listener accepts connections. */
  readonly listens: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from the first of those sockets: see `sys/sockets/hand-over.ts`
   */
  leave(from: number | null): void;
  /** Accepts no more connections. All others live on, and the listener may listen again. May be called again. */
  stop(): void;
  /** Stops, and closes the connections that have no tunnel. May be called again. */
  close(): void;
}
