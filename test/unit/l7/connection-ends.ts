/** The ends of clients' connections that tests report to endpoints. */
import type { ConnectionEnds } from '../../../src/wire/proxy-protocol/proxy-header-writer.ts';

const OWN_END = { address: '192.0.2.100', port: 80 };
/** The client's port. */
const PORT = 40_000;

/**
 * Returns the ends of a connection of a client with this address, and what `proxyProtocol: v1` makes of them.
 *
 * @param address the client's, IPv4
 */
export function endsOf(address: string): ConnectionEnds & { readonly line: string } {
  const line = `PROXY TCP4 ${address} ${OWN_END.address} ${PORT} ${OWN_END.port}\r\n`;
  return { source: { address, port: PORT }, destination: OWN_END, serverName: null, line };
}
