import { listMembers, trimOws } from './request-head.ts';

/** Parameters that a client may offer, each at most once (RFC 7692 section 7.1). */
const PARAMETERS = new Set([
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
]);

/**
 * The first offer of permessage-deflate that uWebSockets.js answers as RFC 7692 section 7.1 wants, or an empty
 * string. It grants every first offer, and then leaves out of its answer what its compressor cannot do; clients
 * that insist on it give up the connection.
 *
 * @param offers the values of Sec-WebSocket-Extensions, joined
 * @param keepsContext whether the compressor is a dedicated one: that keeps its context and takes a window of 9 to
 *   14 bits; the shared one keeps none and always has a window of 15
 */
export function chooseDeflateOffer(offers: string | undefined, keepsContext: boolean): string {
  return listMembers(offers).find((offer) => canGrant(offer, keepsContext)) ?? '';
}

function canGrant(offer: string, keepsContext: boolean): boolean {
  const [name = '', ...list] = offer.split(';').map(trimOws);
  if (name !== 'permessage-deflate') return false;
  const parameters = new Map<string, string | null>();
  for (const entry of list) {
    const equals = entry.indexOf('=');
    const key = equals < 0 ? entry : trimOws(entry.slice(0, equals));
    if (!PARAMETERS.has(key) || parameters.has(key)) return false;
    parameters.set(key, equals < 0 ? null : unquoted(trimOws(entry.slice(equals + 1))));
  }
  for (const flag of ['server_no_context_takeover', 'client_no_context_takeover']) {
    if ((parameters.get(flag) ?? null) !== null) return false;
  }
  const clientBits = parameters.get('client_max_window_bits') ?? null;
  if (clientBits !== null && !isWindow(clientBits, 8, 15)) return false;
  const serverBits = parameters.get('server_max_window_bits');
  if (!keepsContext) return serverBits === undefined;
  if (parameters.has('server_no_context_takeover')) return false;
  return serverBits === undefined || (serverBits !== null && isWindow(serverBits, 9, 14));
}

function unquoted(value: string): string {
  return value.length > 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

function isWindow(value: string, least: number, most: number): boolean {
  return /^[1-9][0-9]?$/.test(value) && Number(value) >= least && Number(value) <= most;
}
