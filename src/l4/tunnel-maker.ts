import { ACCESS, EVENT } from '../telemetry/journal/journal.ts';
import { logFault } from '../transport/admission.ts';
import { entryFactsOf, type EntryFacts } from '../transport/entry.ts';
import type { TunnelContext, TunnelRefusal } from './tunnel.ts';

/**
 * Turns connections of one transport into tunnels. `Connection` is the type the transport accepts or watches.
 */
export interface TunnelMaker<Connection> {
  /**
   * Joins a client to an endpoint. The connection is already counted as open, and the tunnel counts its end.
   * Never throws.
   */
  begin(context: TunnelContext, connection: Connection, facts: EntryFacts): void;
  /** Closes a connection with a reset. */
  refuse(connection: Connection): void;
}

/** Turns all connections of a layer 4 listener into tunnels. */
export interface ListenerTunnelMaker<Connection> extends TunnelMaker<Connection> {
  /** Closes a TLS connection with an alert, because no tunnel matches its server name. */
  refuseName(connection: Connection): void;
}

/** Facts about a client whose address is not needed. */
export const UNKNOWN_CLIENT: EntryFacts = entryFactsOf('');

/** Whether tunnels under a context need their clients' addresses. */
export function needsAddress({ journal, cluster }: TunnelContext): boolean {
  return journal.isOn(ACCESS | EVENT) || cluster.choosesBySource || cluster.config.proxyProtocol !== 'off';
}

/** Starts a tunnel for a connection, or closes it. */
export function serve<Connection>(
  maker: ListenerTunnelMaker<Connection>,
  connection: Connection,
  choice: TunnelContext | TunnelRefusal,
  facts: EntryFacts,
): void {
  if (typeof choice !== 'string') maker.begin(choice, connection, facts);
  else if (choice === 'server_name' && facts.hello !== null) maker.refuseName(connection);
  else maker.refuse(connection);
}

/** Counts and logs a connection closed because its tunnel could not be created. */
export function countLost(
  { stats, log, config }: TunnelContext,
  { holds }: EntryFacts,
  error: unknown,
): void {
  holds?.release();
  stats.connections.closed();
  logFault(log, config.name, error);
}
