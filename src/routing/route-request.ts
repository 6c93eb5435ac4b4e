import { isIPv6 } from 'node:net';

/** What of a request a route is chosen by. */
export interface RouteRequest {
  /** As {@link hostOf} gives it: lower case, without port and trailing dot. */
  readonly host: string;
  /** As `normalizePath` gives it. */
  readonly path: string;
  /** As received, without the `?`; empty where there is none. */
  readonly query: string;
  /** What the client offers, in its order. */
  readonly subprotocols: readonly string[];
  /** The value of a header by its lower-case name; undefined without a line of it, null with several. */
  header(name: string): string | null | undefined;
}

const LONGEST_HOST = 255;
const PORT = /^(?::\d{0,5})?$/;

/**
 * The host of a Host header: lower case, without the port and without the dot at its end. An IPv6 address keeps
 * its brackets, as it has them everywhere else in a URL. RFC 9110 section 7.2.
 *
 * @returns null for what is no host and is to be refused with 400: empty, an empty label, a port that is none,
 *   and any character that a host name cannot have, such as `@`, `/`, a space, or the comma between two values
 */
export function hostOf(hostHeader: string): string | null {
  if (hostHeader.startsWith('[')) return bracketedHostOf(hostHeader);
  let labelLength = 0;
  let end = 0;
  for (; end < hostHeader.length; end++) {
    const code = hostHeader.charCodeAt(end);
    if (code === 0x3a) break;
    if (code === 0x2e) {
      if (labelLength === 0) return null;
      labelLength = 0;
    } else if (isHostCharacter(code)) {
      labelLength++;
    } else {
      return null;
    }
  }
  if (!isPort(hostHeader, end)) return null;
  if (end > 0 && labelLength === 0) end--;
  if (end === 0 || end > LONGEST_HOST) return null;
  return hostHeader.slice(0, end).toLowerCase();
}

function bracketedHostOf(hostHeader: string): string | null {
  const end = hostHeader.indexOf(']') + 1;
  const address = hostHeader.slice(1, end - 1);
  // isIPv6 takes a zone, which means nothing away from the machine that wrote it.
  if (end === 0 || !isIPv6(address) || address.includes('%') || !isPort(hostHeader, end)) return null;
  return hostHeader.slice(0, end).toLowerCase();
}

/** Whether nothing, or a colon and a port (which may be empty), is left from `at` on. */
function isPort(hostHeader: string, at: number): boolean {
  if (at === hostHeader.length) return true;
  const rest = hostHeader.slice(at);
  return PORT.test(rest) && Number(rest.slice(1)) <= 65535;
}

/** Letters, digits, hyphen, and the underscore that internal names have. */
function isHostCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x5f
  );
}
