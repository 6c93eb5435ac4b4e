import { Timed } from '../core/timing/timer-wheel.ts';
import type { TappedTunnel, TunnelTap } from '../telemetry/tap/tap.ts';
import type { ConnectionHolds, EntryFacts } from '../transport/entry.ts';
import type { Attempts } from '../upstream/attempts/attempts.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { openEntry, type TunnelEntry } from './tunnel-entry.ts';
import type { Tunnel, TunnelContext } from './tunnel.ts';

/** Base class of both engines' tunnels. Counts and logs the start and end, and reports to the tap. */
export abstract class CountedTunnel extends Timed implements Tunnel {
  liveIndex = -1;
  tap: TunnelTap | null = null;
  /** The endpoint being dialled or joined. Null without one. */
  endpoint: Endpoint | null = null;
  /** Time of the dial, by `performance.now()`. */
  dialledAt = 0;
  /** True once the tunnel is joined to its endpoint, also after its end. */
  isJoined = false;
  /** Reason of the tunnel's end. */
  reason = 'closed';
  readonly context: TunnelContext;
  /** Null once the tunnel is joined. */
  facts: EntryFacts | null;
  /** Places in limits that the client holds. Null without any. */
  readonly #holds: ConnectionHolds | null;
  /** Time of the accept, by `performance.now()`. */
  readonly #openedAt = performance.now();
  /** Null before the join, and if no journal records the tunnel. */
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

  /** Counts and logs the endpoint's accept. @param attempts receives the success; null without any */
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
   * Counts and logs the end, when both sides are closed or closing. Idempotent.
   *
   * @param bytesUpstream bytes received from the client
   * @param bytesDownstream bytes received from the endpoint
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
