import { isIPv6 } from 'node:net';

const MAX_HOST_CHARACTERS = 255;
const PORT = /^(?::\d{0,5})?$/;

/**
 * Returns the host of a Host header (RFC 9110 section 7.2) in lower case, without its port and trailing dot.
 * An IPv6 address keeps its brackets.
 *
 * Names may contain the sub-delims of RFC 3986 section 3.2.2, as in nginx and browsers. Escapes (`%2e`) are
 * refused, although the RFC allows them: a server that decodes them would see another host than the routes.
 * Characters that end the host for other programs are refused too: `@`, `/`, `?`, `#`, a backslash, a space
 * and others.
 *
 * @returns null to refuse the header with 400, also for an empty host or label, and for a bad port
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
  if (end === 0 || end > MAX_HOST_CHARACTERS) return null;
  return hostHeader.slice(0, end).toLowerCase();
}

function bracketedHostOf(hostHeader: string): string | null {
  const end = hostHeader.indexOf(']') + 1;
  const address = hostHeader.slice(1, end - 1);
  // isIPv6 accepts a zone, which is meaningless on another machine.
  if (end === 0 || !isIPv6(address) || address.includes('%') || !isPort(hostHeader, end)) return null;
  return hostHeader.slice(0, end).toLowerCase();
}

/** Reports whether the text from `at` is empty, or a colon and an optional port. */
function isPort(hostHeader: string, at: number): boolean {
  if (at === hostHeader.length) return true;
  const rest = hostHeader.slice(at);
  return PORT.test(rest) && Number(rest.slice(1)) <= 65535;
}

/** Returns the port of a valid Host header; undefined without one. */
export function portOf(hostHeader: string): string | undefined {
  return /:(\d+)$/.exec(hostHeader)?.[1];
}

/** Reports whether a host name may contain a character: RFC 3986's unreserved characters and sub-delims. */
function isHostCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x5f ||
    code === 0x7e ||
    isSubDelimiter(code)
  );
}

/** Reports whether a character is one of `!$&'()*+,;=`. */
function isSubDelimiter(code: number): boolean {
  return code === 0x21 || code === 0x24 || (code >= 0x26 && code <= 0x2c) || code === 0x3b || code === 0x3d;
}
