/**
 * Protects the admin server against web pages in an operator's browser: DNS rebinding and cross-site
 * requests. In DNS rebinding, a name of the attacker resolves to the admin address.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** A request's target, and the hosts and origins that it names. */
interface CheckedRequest {
  readonly httpVersion: string;
  readonly target: RequestTarget;
  /** Values of all Host lines. */
  readonly hosts: readonly string[];
  /** Values of all Origin lines. */
  readonly origins: readonly string[];
}

interface RequestTarget {
  /** Authority of the absolute form, `http://host/path`. It overrides Host (RFC 9112 section 3.2.2). */
  readonly authority: string | null;
  readonly path: string;
  /** Query without the question mark. */
  readonly query: string;
}

interface HostRefusal {
  readonly status: 400 | 403 | 421;
  readonly reason: 'malformed' | 'host' | 'origin';
  readonly message: string;
}

/** Pages that accept any Host: scrapers and probes use service names, and these pages change nothing. */
const PAGES_OF_ANY_HOST: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

/** Parses a request's target in origin form, `/path?query`, or absolute form. */
export function parseTarget(url: string): RequestTarget {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  const rest = absolute?.[2] ?? url;
  const at = rest.indexOf('?');
  const path = at < 0 ? rest : rest.slice(0, at);
  return {
    authority: absolute?.[1] ?? null,
    path: path === '' ? '/' : path,
    query: at < 0 ? '' : rest.slice(at + 1),
  };
}

/**
 * Checks a request's Host and Origin.
 *
 * @param names host names in lower case that requests may use, besides IP addresses and `localhost`
 * @returns null if the request is admitted
 */
export function refuseForeign(request: CheckedRequest, names: readonly string[]): HostRefusal | null {
  const { httpVersion, target, hosts, origins } = request;
  if (hosts.length > 1) return malformed('several Host headers: send one');
  const [host = null] = hosts;
  // Browsers always send Host, and HTTP/1.0 does not require it.
  if (host === null && httpVersion !== '1.0') return malformed('HTTP/1.1 needs a Host header: send one');
  const authority = target.authority ?? host;
  if (authority !== null && !PAGES_OF_ANY_HOST.has(target.path) && !isOurs(authority, names)) {
    return {
      status: 421,
      reason: 'host',
      message: 'unknown host name: use an IP address or localhost, or add the name to admin.hosts',
    };
  }
  if (origins.length > 1 || (origins.length === 1 && !isSameOrigin(origins[0]!, authority))) {
    return {
      status: 403,
      reason: 'origin',
      message: 'cross-origin requests are refused: omit the Origin header',
    };
  }
  return null;
}

function malformed(message: string): HostRefusal {
  return { status: 400, reason: 'malformed', message };
}

function isOurs(authority: string, names: readonly string[]): boolean {
  const host = splitAuthority(authority)?.host;
  if (host === undefined) return false;
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1));
  return isIPv4(host) || host === 'localhost' || names.includes(host);
}

/** Compares only host and port: a proxy in front may terminate TLS. */
function isSameOrigin(origin: string, authority: string | null): boolean {
  const [, scheme = '', asking = ''] = /^(https?):\/\/(.*)$/i.exec(origin) ?? [];
  const own = authority === null ? null : splitAuthority(authority);
  const other = splitAuthority(asking);
  if (own === null || other === null) return false;
  const usual = scheme.toLowerCase() === 'https' ? '443' : '80';
  return own.host === other.host && (own.port || usual) === (other.port || usual);
}

/** Splits `host`, `host:port` or `[ipv6]:port`. Returns the host in lower case, without a trailing dot. */
function splitAuthority(authority: string): { readonly host: string; readonly port: string } | null {
  const match = /^(\[[0-9a-f:.%\w-]+\]|[\w.-]+)(?::(\d{0,5}))?$/i.exec(authority);
  if (match === null) return null;
  const [, host = '', port = ''] = match;
  return { host: host.toLowerCase().replace(/\.$/, ''), port: port.replace(/^0+(?=\d)/, '') };
}
