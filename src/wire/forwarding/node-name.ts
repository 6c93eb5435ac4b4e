import { normalizeIp } from '../ip-address.ts';

/** A port, or an obfuscated one (RFC 7239 section 6.3). */
const PORT = /^(?:\d{1,5}|_[\w.-]+)$/;

/**
 * Parses the IP address in a member of X-Forwarded-For, in X-Real-IP, or in the parameter `for` (RFC 7239
 * section 6). A port, IPv6 brackets and quotes are optional.
 *
 * @returns the address as formatted by `normalizeIp`; null without one: `unknown`, `_hidden`, a host name
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
  // Without brackets, only an IPv4 address can have a port: several colons mean IPv6.
  if (colon < 0 || text.includes(':', colon + 1)) return normalizeIp(text);
  return PORT.test(text.slice(colon + 1)) ? normalizeIp(text.slice(0, colon)) : null;
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
