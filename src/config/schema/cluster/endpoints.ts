/** Reads the endpoints of a cluster. */
import { resolve } from 'node:path';
import type { Address } from '../../../core/address.ts';
import { MAX_SOCKET_PATH_BYTES, formatAddress } from '../../../core/address.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import { describeFormat, described, type FormatDescription } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, dialAddress, integer } from '../../syntax/formats.ts';
import { serviceName } from '../../syntax/host.ts';
import type { Problems } from '../../syntax/problems.ts';
import type { Located } from '../../syntax/section.ts';
import { Section, isMapping, readValue } from '../../syntax/section.ts';
import type { Endpoint, ResolveSettings } from '../../types/cluster.ts';

export const ENDPOINT = { what: 'an endpoint', keys: ['address', 'weight', 'maxConnections'] };
const CONNECTIONS = { min: 0, max: 100_000_000 };
/** The host of an address that is a port alone. */
const LOOPBACK = '127.0.0.1';
const PORT: FormatDescription = { type: 'integer', min: 1, max: 65_535 };
const FORMS: FormatDescription = { type: 'either', of: [describeFormat(dialAddress)!, PORT] };

/**
 * Reads the entries of a list of endpoints: addresses, or mappings with more keys. Omits invalid ones.
 *
 * @param type how the names of endpoints are resolved, which decides about the form of addresses
 */
export function readEndpoints(
  entries: readonly Located<unknown>[],
  base: BaseDirectory,
  problems: Problems,
  type: ResolveSettings['type'],
): Endpoint[] {
  const endpoints: Endpoint[] = [];
  const seen = new Set<string>();
  const format: Format<Address | null> = type === 'srv' ? serviceName : endpointAddress(base);
  for (const { value, path } of entries) {
    const read = isMapping(value)
      ? readEndpoint({ value, path }, format, problems)
      : readAddress({ value, path }, format, problems);
    if (read === null) continue;
    const text = formatAddress(read.address);
    // Host names ignore case, and paths do not.
    const same = read.address.kind === 'unix' ? text : text.toLowerCase();
    if (seen.has(same)) {
      const fault = `${describe(text)} is listed twice: list it once, with a higher weight`;
      problems.valueError(isMapping(value) ? [...path, 'address'] : path, fault);
    }
    seen.add(same);
    endpoints.push(read);
  }
  return endpoints;
}

/** Reads an endpoint that is a mapping. */
function readEndpoint(
  { value, path }: Located<unknown>,
  format: Format<Address | null>,
  problems: Problems,
): Endpoint | null {
  const section = Section.of(value, path, problems, ENDPOINT);
  if (section === null) return null;
  const address = section.required('address', format, null);
  const weight = section.optional('weight', integer({ min: 1, max: 1_000_000 }), 1);
  const maxConnections = section.optional('maxConnections', integer(CONNECTIONS), 0);
  return address === null ? null : { address, weight, maxConnections };
}

/** Reads an endpoint that is an address alone. */
function readAddress(
  { value, path }: Located<unknown>,
  format: Format<Address | null>,
  problems: Problems,
): Endpoint | null {
  const address = readValue(value, path, problems, format, null);
  return address === null ? null : { address, weight: 1, maxConnections: 0 };
}

/** Returns the format of an endpoint's address. Paths of UNIX sockets become absolute. */
function endpointAddress(base: BaseDirectory): Format<Address> {
  return described(FORMS, (value) => {
    const address = typeof value === 'number' ? addressOfPort(value) : dialAddress(value);
    if (address.kind !== 'unix') return address;
    const path = resolve(base.path, address.path);
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { kind: 'unix', path };
    const limit = `the system takes ${MAX_SOCKET_PATH_BYTES} bytes`;
    throw new FormatError(`the path ${path} is too long for a UNIX socket: ${limit}`);
  });
}

function addressOfPort(port: number): Address {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return { kind: 'tcp', host: LOOPBACK, port };
  throw new FormatError(
    `${port} is not a port: write 1 to 65535 for a server on this machine, or host:port in quotes`,
  );
}
