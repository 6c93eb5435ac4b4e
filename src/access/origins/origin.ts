import { hostOf, portOf } from '../../wire/http/host-header.ts';

/** Origin of a page (RFC 6454 section 4). */
export interface Origin {
  /** In lower case, without the colon. */
  readonly scheme: string;
  /** As written by `hostOf`. */
  readonly host: string;
  /** Null if the origin has no port and its scheme has no default. */
  readonly port: number | null;
}

/** RFC 3986 section 3.1. The length limit bounds the regular expression's work. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]{0,63}):\/\//;

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
]);

/**
 * Parses a serialized origin (RFC 6454 section 6.2), such as `https://example.com:8443`.
 *
 * @returns null for other values, such as `null`, a list, or an origin with a path or a user
 */
export function readOrigin(text: string): Origin | null {
  const match = SCHEME.exec(text);
  if (match === null) return null;
  const authority = text.slice(match[0].length);
  // A Host header may end in a colon without a port, but an Origin from a browser never does.
  return authority.endsWith(':') ? null : originOf(match[1]!.toLowerCase(), authority);
}

/**
 * Returns the origin of a host's pages.
 *
 * @param scheme in lower case
 * @param hostHeader host and optional port, as in a Host header
 * @returns null if the header is malformed
 */
export function originOf(scheme: string, hostHeader: string): Origin | null {
  const host = hostOf(hostHeader);
  if (host === null) return null;
  const port = portOf(hostHeader);
  return { scheme, host, port: port === undefined ? (DEFAULT_PORTS.get(scheme) ?? null) : Number(port) };
}
