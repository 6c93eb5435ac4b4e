import { randomBytes } from 'node:crypto';
import type { TunnelEnd, TunnelStart } from '../telemetry/journal/entries.ts';
import { ACCESS, EVENT, SAMPLED, type Journal } from '../telemetry/journal/journal.ts';
import { tunnelOutcome } from '../telemetry/journal/outcomes.ts';
import type { EntryFacts } from '../transport/entry.ts';
import type { rejectionOf } from './rejection.ts';
import type { TunnelContext } from './tunnel.ts';

/** Prefix of this thread's tunnel ids: unique among all threads and processes. */
const THREAD = randomBytes(6).toString('hex');
let tunnels = 0;

/**
 * Records in the journal that a tunnel has found its endpoint.
 *
 * @param endpoint the endpoint's label
 * @param since time of the accept, by `performance.now()`
 * @returns the entry that records the tunnel's end; null if the journal records neither access nor events
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

/** Counts a connection without a usable endpoint, and records it in the journal. */
export function rejectTunnel(
  { config, cluster, stats, journal }: TunnelContext,
  facts: EntryFacts | null,
  reason: ReturnType<typeof rejectionOf>,
): void {
  stats.connections.rejected(reason);
  const client = facts === null || facts.address === '' ? undefined : facts.address;
  journal.connectionRefused({ kind: 'tunnel', listener: config.name, cluster: cluster.name, client, reason });
}

/** Records one tunnel's start and end in the journal, for any engine. */
export class TunnelEntry {
  readonly #context: TunnelContext;
  /** The endpoint's label. */
  readonly #endpoint: string;
  readonly client: string;
  /** From the client's ClientHello or a PROXY header. */
  readonly serverName: string | undefined;
  /** Null without an access log. A failed tunnel still has an event, which saves the memory until then. */
  readonly #start: TunnelStart | null;
  /**
   * The sinks for a successful end. Sampled once, so that all lines of one tunnel are kept or dropped
   * together.
   */
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
    // Failures are sampled on their own.
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

  /** Returns the fields of the start that an event contains. */
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
