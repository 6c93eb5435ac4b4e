/** Reads the hosts that a route matches. */
import { describe } from '../../syntax/formats.ts';
import { hostPattern } from '../../syntax/host.ts';
import type { Section } from '../../syntax/section.ts';
import { readValue } from '../../syntax/section.ts';

/** Reads the optional key `host`: one host, or a list of hosts. Empty for any host. */
export function readHosts(match: Section): readonly string[] {
  if (!match.has('host')) return [];
  const hosts = new Set<string>();
  for (const { value, path } of match.oneOrMore('host', 'hosts')) {
    const host = readValue(value, path, match.problems, hostPattern, null);
    if (host === null) continue;
    if (hosts.has(host)) match.problems.valueError(path, `${describe(host)} is listed twice: list it once`);
    hosts.add(host);
  }
  return [...hosts];
}
