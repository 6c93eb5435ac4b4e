import { randomBytes } from 'node:crypto';
import type { TunnelEnd, TunnelStart } from '../telemetry/journal/entries.ts';
import { ACCESS, EVENT, SAMPLED, type Journal } from '../telemetry/journal/journal.ts';
import { tunnelOutcome } from '../telemetry/journal/outcomes.ts';
import type { EntryFacts } from '../transport/entry.ts';
import type { rejectionOf } from './rejection.ts';
import type { TunnelContext } from './tunnel.ts';

/** Makes the ids of this thread differ from those of all other threads and processes. */
const THREAD = randomBytes(6).toString('hex');
let tunnels = 0;

/**
 * Tells the journal that a tunnel has found its endpoint.
 *
 * @param endpoint the endpoint's label
 * @param since when the connection came, by `performance.now()`
 * @returns what tells of the tunnel's end; null if nobody wants to hear of it
 */
export function openEntry(
  context: TunnelContext,
  facts: EntryFacts,
  endpoint: string,
  since: number,
): TunnelEntry | null {
  if (!context.journal.isOn(ACCESS | EVENT)) return null;
  const seconds = (performance.now() - since) / 1000;
  const entry = new TunnelEntry(context, facts, endpoint, seconds);
  entry.opened();
  return entry;
}

/** Counts a connection for which no endpoint was found, and tells the journal. */
export function rejectTunnel(
  { config, cluster, stats, journal }: TunnelContext,
  facts: EntryFacts | null,
  reason: ReturnType<typeof rejectionOf>,
): void {
  stats.connections.rejected(reason);
  const client = facts === null || facts.address === '' ? undefined : facts.address;
  journal.connectionRefused({ kind: 'tunnel', listener: config.name, cluster: cluster.name, client, reason });
}

/** Tells the journal of one tunnel's start and end, whatever engine carries it. */
export class TunnelEntry {
  readonly #context: TunnelContext;
  /** The endpoint's label. */
  readonly #endpoint: string;
  readonly client: string;
  /** The one of the client's ClientHello, or of a PROXY header. */
  readonly serverName: string | undefined;
  /** Null without an access log: a tunnel that fails has an event, and needs less memory until then. */
  readonly #start: TunnelStart | null;
  /** What is told of the tunnel if it ends well: drawn once, so that its lines share their fate. */
  readonly #sinks: number;

  /**
   * @param endpoint the endpoint's label
   * @param seconds time until the endpoint accepted
   */
  constructor(
    context: TunnelContext,
    { address, peer, proxy, hello }: EntryFacts,
    endpoint: string,
    seconds: number,
  ) {
    const { config, cluster, journal } = context;
    this.#context = context;
    this.#endpoint = endpoint;
    this.client = address;
    this.serverName = hello?.serverName ?? proxy?.serverName ?? undefined;
    this.#start = journal.isOn(ACCESS)
      ? {
          listener: config.name,
          cluster: cluster.name,
          endpoint,
          client: address,
          peer: proxy === null ? undefined : peer,
          serverName: this.serverName,
          vpcEndpointId: proxy?.vpcEndpointId ?? undefined,
          tunnelId: `${THREAD}-${(tunnels++).toString(36)}`,
        }
      : null;
    this.#sinks = journal.sinksOf('success', seconds, null);
  }

  opened(): void {
    if (this.#start !== null && this.#sinks !== 0) this.#journal.tunnelOpened(this.#sinks, this.#start);
  }

  closed(end: TunnelEnd): void {
    const outcome = tunnelOutcome(end.reason);
    const more = outcome === 'success' ? 0 : this.#journal.sinksOf(outcome, 0, null);
    // A failure stands for itself.
    const drawn = outcome === 'success' ? this.#sinks : this.#sinks & ~SAMPLED;
    const sinks = drawn | more;
    if (this.#start !== null) {
      if (sinks !== 0) this.#journal.tunnelClosed(sinks, this.#start, end);
    } else if ((sinks & EVENT) !== 0) {
      this.#journal.tunnelClosed(EVENT, this.#eventStart(), end);
    }
  }

  get #journal(): Journal {
    return this.#context.journal;
  }

  /** Returns as much of the start as an event tells. */
  #eventStart(): TunnelStart {
    const { config, cluster } = this.#context;
    return {
      listener: config.name,
      cluster: cluster.name,
      endpoint: this.#endpoint,
      client: this.client,
      peer: undefined,
      serverName: this.serverName,
      vpcEndpointId: undefined,
      tunnelId: '',
    };
  }
}
