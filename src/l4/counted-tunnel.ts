import { Timed } from '../core/timing/timer-wheel.ts';
import type { TappedTunnel, TunnelTap } from '../telemetry/tap/tap.ts';
import type { ConnectionHolds, EntryFacts } from '../transport/entry.ts';
import type { Attempts } from '../upstream/attempts/attempts.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { openEntry, type TunnelEntry } from './tunnel-entry.ts';
import type { Tunnel, TunnelContext } from './tunnel.ts';

/** A tunnel of either engine. This class counts and logs its start and end, and tells its tap. */
export abstract class CountedTunnel extends Timed implements Tunnel {
  liveIndex = -1;
  tap: TunnelTap | null = null;
  /** The endpoint that is dialled, or that the tunnel is joined to; null for none. */
  endpoint: Endpoint | null = null;
  /** When the endpoint was dialled, by `performance.now()`. */
  dialledAt = 0;
  /** Whether the tunnel is joined to its endpoint, or has been. */
  isJoined = false;
  /** Why the tunnel ends. */
  reason = 'closed';
  readonly context: TunnelContext;
  /** Null once the tunnel is joined. */
  facts: EntryFacts | null;
  /** What the client holds; null for nothing. */
  readonly #holds: ConnectionHolds | null;
  /** By `performance.now()`. */
  readonly #openedAt = performance.now();
  /** Null if nothing is told of the tunnel, and before it has an endpoint. */
  #entry: TunnelEntry | null = null;

  constructor(context: TunnelContext, facts: EntryFacts) {
    super();
    this.context = context;
    this.facts = facts;
    this.#holds = facts.holds ?? null;
  }

  abstract evict(reason: string): boolean;
  abstract drain(): boolean;
  abstract undrain(): void;
  abstract end(): void;
  abstract abort(): void;

  isOf(cluster: string, endpoint: string): boolean {
    return this.isJoined && this.endpoint?.cluster === cluster && this.endpoint.label === endpoint;
  }

  get place(): TappedTunnel | null {
    const { endpoint, context } = this;
    if (!this.isJoined || endpoint === null || this.liveIndex < 0) return null;
    return {
      listener: context.config.name,
      cluster: context.cluster.name,
      endpoint: endpoint.label,
      client: this.#entry?.client ?? '',
      openedAt: Math.round(Date.now() - performance.now() + this.#openedAt),
      serverName: this.#entry?.serverName ?? null,
    };
  }

  /** Counts and logs that the endpoint has accepted. @param attempts told of it; null for none */
  countJoin(attempts: Attempts | null): void {
    const { cluster, stats, taps } = this.context;
    const seconds = (performance.now() - this.dialledAt) / 1000;
    cluster.connectDuration.observe(seconds);
    const endpoint = this.endpoint!;
    endpoint.countDial();
    attempts?.succeed(endpoint, seconds);
    stats.opened();
    this.isJoined = true;
    this.#entry = openEntry(this.context, this.facts!, endpoint.label, this.#openedAt);
    this.facts = null;
    if (taps.isOn) this.tap = taps.watchTunnel(this.place!);
    this.tap?.opened();
  }

  /** Counts the bytes of one read. */
  countBytes(fromClient: boolean, bytes: number): void {
    const { stats } = this.context;
    stats.values[fromClient ? stats.bytesUpstream : stats.bytesDownstream]! += bytes;
    if (this.tap !== null) this.tap.received(fromClient, bytes);
  }

  /**
   * Counts and logs the end: both sides are closed, or close now. Does nothing the second time.
   *
   * @param bytesUpstream that have come from the client
   * @param bytesDownstream that have come from the endpoint
   */
  countEnd(bytesUpstream: number, bytesDownstream: number): void {
    const { tunnels, wheel, stats } = this.context;
    if (!tunnels.delete(this)) return;
    wheel.disarm(this);
    this.endpoint?.release();
    stats.connections.closed();
    this.#holds?.release();
    if (!this.isJoined) return;
    stats.closed(this.reason);
    if (this.#entry === null && this.tap === null) return;
    const seconds = (performance.now() - this.#openedAt) / 1000;
    const end = { reason: this.reason, seconds, bytesUpstream, bytesDownstream };
    this.#entry?.closed(end);
    this.tap?.ended(end);
    this.tap = null;
  }
}
