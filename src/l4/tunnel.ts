/**
 * The contract of layer 4. Every engine implements it, and one test suite checks it.
 *
 * - Each client connection has one upstream connection. Bytes cross unchanged, uninspected and in order.
 * - The proxy reads nothing from the client before an endpoint accepts. After a failed dial it tries other
 *   endpoints, and if none accepts it closes the client. A client's reset does not end the dial: the endpoint
 *   gets the client's bytes, then the reset.
 * - FIN crosses as FIN, separately for each direction. A reset crosses as a reset, never as FIN: truncated
 *   data must not look complete. The reset follows the bytes read before it, as long as the other side reads
 *   them (`reset-linger.ts`).
 * - A side that does not read stops the other side from sending: the bytes waiting in a tunnel are bounded.
 * - A tunnel closes after the listener's idleTimeout without a byte. A half-closed tunnel, whose first FIN
 *   was passed on, closes after halfCloseTimeout without a byte.
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

/** Tunnel settings of a listener of either layer. */
export type TunnelSettings = Pick<L4ListenerConfig, 'name' | 'idleTimeoutMs' | 'halfCloseTimeoutMs'>;

/** State shared by the tunnels from one listener to one cluster, under one version of the settings. */
export interface TunnelContext {
  readonly config: TunnelSettings;
  readonly cluster: Cluster;
  readonly stats: TunnelStats;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Records tunnels. */
  readonly journal: Journal;
  /** Watch tunnels. */
  readonly taps: Taps;
  /** The live tunnels under this context. */
  readonly tunnels: LiveSet<Tunnel>;
}

/** A tunnel, as its listener and its worker see it. */
export interface Tunnel extends LiveMember {
  /** The tunnel's endpoint. Null before one is found. */
  readonly endpoint: Endpoint | null;
  /** Description of the tunnel for taps. Null before the join and after the end. */
  readonly place: TappedTunnel | null;
  /** Watches the tunnel. Null without a tap and after the end. May be set while {@link place} is not null. */
  tap: TunnelTap | null;
  /** Whether the tunnel is joined to this endpoint. @param endpoint its label */
  isOf(cluster: string, endpoint: string): boolean;
  /** Closes the tunnel so that its client reconnects elsewhere. Returns false if it has already ended. */
  evict(reason: string): boolean;
  /**
   * Closes both sides with FIN if the tunnel has been silent for {@link QUIET_MS} and no bytes wait. Returns
   * whether it did.
   */
  drain(): boolean;
  /** Cancels {@link drain}. */
  undrain(): void;
  /** Closes both sides now, with FIN. */
  end(): void;
  /** Closes both sides now, in any state. */
  abort(): void;
}

/** Silence that counts as a pause between two messages. */
export const QUIET_MS = 1000;

/** The parts of a layer 4 listener that its engine needs. */
export interface TunnelOwner {
  readonly address: TcpAddress;
  /** First bytes required of newly accepted connections. */
  readonly entry: EntryTerms;
  /**
   * Counts an accepted connection.
   *
   * @param descriptor undefined if unknown
   * @returns false if the caller must refuse it; it then does not count as open
   */
  arrived(descriptor: number | undefined): boolean;
  /**
   * Chooses the destination of an arrived connection. Counts a refusal and returns its reason.
   *
   * @param since time of the accept, by `performance.now()`
   */
  choose(facts: EntryFacts, since: number): TunnelContext | TunnelRefusal;
  /** Called after an arrived connection failed and was closed. */
  rejected(rejection: EntryRejection): void;
  /**
   * Called after an arrived connection was closed for a reason outside the connection: see `ArrivalOwner`.
   */
  lost(fault: unknown): void;
  /** Counts a failed accept: see `AcceptorOwner` of `transport/acceptor.ts`. */
  acceptFailed(code: string, isFirst: boolean): boolean;
  /** Logs an error thrown while serving a connection. The connection is lost. */
  acceptFault(error: unknown): void;
}

/** Reasons to refuse a tunnel: no cluster for the server name, or a drained listener. */
export type TunnelRefusal = 'server_name' | 'draining';

/** An engine's part of one layer 4 listener: its listening socket, and the connections without a tunnel. */
export interface TunnelListener {
  /** Resolves when the listener accepts connections. Rejects if the address cannot be bound. */
  listen(): Promise<void>;
  /** Whether the listener accepts connections. */
  readonly listens: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from number of the first socket to receive new connections: see `sys/sockets/hand-over.ts`
   */
  handOver(from: number | null): void;
  /** Stops accepting. Open connections continue, and the listener may listen again. Idempotent. */
  stop(): void;
  /** Stops, and closes the connections without a tunnel. Idempotent. */
  close(): void;
}
