/** Warns of hosts that no certificate of their listener covers. */
import { isIP } from 'node:net';
import type { Section } from '../../../syntax/section.ts';
import type { Certificate } from '../../../types/listener.ts';
import type { Route } from '../../../types/route.ts';

/** Max hosts that the warning lists. */
const MAX_LISTED = 5;

/**
 * Warns of hosts of routes that no certificate covers, at the first such route: clients refuse the certificate
 * that they get. Ignores hosts with a star, and IP addresses.
 *
 * @param certificates all certificates of the listener
 */
export function warnOfUncoveredHosts(
  listener: Section,
  certificates: readonly Certificate[],
  routes: readonly Route[],
): void {
  const names = new Set(certificates.flatMap(({ serverNames }) => serverNames));
  const uncovered = new Set<string>();
  let first = -1;
  for (const [index, { match }] of routes.entries()) {
    for (const host of match.hosts) {
      if (isCovered(host, names)) continue;
      uncovered.add(host);
      if (first === -1) first = index;
    }
  }
  if (first === -1) return;
  const more = uncovered.size - MAX_LISTED;
  const listed = [...uncovered].slice(0, MAX_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  listener.problems.warning(
    [...listener.path, 'routes', first, 'match', 'host'],
    `no certificate of this listener covers ${listed}, so clients refuse the connection: add a certificate to tls`,
  );
}

/** A star in a certificate stands for one label (RFC 9525 section 6.3). */
function isCovered(host: string, names: ReadonlySet<string>): boolean {
  if (host.startsWith('*') || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  const dot = host.indexOf('.');
  return names.has(host) || (dot !== -1 && names.has(`*${host.slice(dot)}`));
}
