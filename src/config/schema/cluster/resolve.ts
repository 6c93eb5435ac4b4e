/** Reads the cluster keys for resolving endpoint names. */
import { isIP, isIPv6 } from 'node:net';
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, duration, oneOf } from '../../syntax/formats.ts';
import { readValue } from '../../syntax/section.ts';
import type { Section } from '../../syntax/section.ts';
import type { ResolveSettings } from '../../types/cluster.ts';

const RESOLVE = { what: '"resolve"', keys: ['type', 'interval', 'servers'] };

/** Reads the optional key `resolve` of a cluster. */
export function readResolve(cluster: Section): ResolveSettings {
  const section = cluster.settings('resolve', RESOLVE);
  const servers: string[] = [];
  for (const { value, path } of section.anyNumber('servers', 'addresses of DNS servers')) {
    const server = readValue(value, path, section.problems, serverAddress, null);
    if (server !== null) servers.push(server);
  }
  const type = section.optional('type', oneOf('system', 'a', 'srv'), 'system');
  if (type === 'system' && servers.length > 0) {
    section.problemAt(
      'servers',
      'the type system always uses the system resolver: write type: a or type: srv',
    );
  }
  return {
    type,
    intervalMs: section.optional('interval', duration({ min: 1000, max: 86_400_000 }), 10_000),
    servers,
  };
}

const readServerAddress: Format<string> = (value) => {
  const text = typeof value === 'string' ? value : '';
  const match = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? 53);
  if (
    isIPv6(text) ||
    (match !== null && isIP(match[1] ?? match[2] ?? '') !== 0 && port > 0 && port < 65536)
  ) {
    return text;
  }
  throw new FormatError(
    `${describe(value)} is not a DNS server: write an IP address, such as "10.0.0.2" or "10.0.0.2:53"`,
  );
};

/** An IP address with an optional port. */
const serverAddress = described(
  { type: 'text', what: 'a DNS server', remedy: 'write an IP address, such as 10.0.0.2 or 10.0.0.2:53' },
  readServerAddress,
);
