import { normalizeIp } from '../ip-address.ts';

/** A port, or what RFC 7239 section 6.3 writes in its place. */
const PORT = /^(?:\d{1,5}|_[\w.-]+)$/;

/**
 * Reads the address of a member of X-Forwarded-For, of X-Real-IP, or of the value of `for` (RFC 7239 section 6): an IP
 * address, with a port or without, IPv6 with brackets or without, in quotes or without.
 *
 * @returns the address as `normalizeIp` writes it, or null for what names none: `unknown`, `_hidden`, a host name
 */
export function addressOfNode(node: string): string | null {
  const text = unquoted(node);
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    const address = normalizeIp(text.slice(1, end));
    const rest = text.slice(end + 1);
    const isWhole = rest === '' || (rest.startsWith(':') && PORT.test(rest.slice(1)));
    return end > 0 && isWhole && text.slice(1, end).includes(':') ? address : null;
  }
  const colon = text.indexOf(':');
  // Without brackets only an IPv4 address can have a port: more than one colon make an IPv6 address.
  if (colon < 0 || text.includes(':', colon + 1)) return normalizeIp(text);
  return PORT.test(text.slice(colon + 1)) ? normalizeIp(text.slice(0, colon)) : null;
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
