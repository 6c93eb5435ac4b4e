import { listMembers, trimOws } from '../../wire/http/request-head.ts';

/** Parameters that a client may offer, each at most once (RFC 7692 section 7.1). */
const PARAMETERS = new Set([
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
]);

/**
 * Returns the first permessage-deflate offer that uWS answers as RFC 7692 section 7.1 requires, or an empty
 * string.
 *
 * uWS (20.66 to 20.68) accepts the first offer whatever its parameters. Its answer omits parameters that its
 * shared compressor does not support, so clients that insist on them drop the connection. The shared
 * compressor keeps no context and always has a window of 15 bits. No upstream issue known. Needed until uWS
 * declines offers that it cannot accept.
 *
 * @param offers values of Sec-WebSocket-Extensions, joined
 */
export function chooseDeflateOffer(offers: string | undefined): string {
  return listMembers(offers).find(canGrant) ?? '';
}

function canGrant(offer: string): boolean {
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
  if (clientBits !== null && !isWindow(clientBits)) return false;
  return !parameters.has('server_max_window_bits');
}

function unquoted(value: string): string {
  return value.length > 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** Whether the value is 8 to 15 without leading zeros (RFC 7692 section 7.1.2). */
function isWindow(value: string): boolean {
  return /^(?:[89]|1[0-5])$/.test(value);
}
