/** Reads a cluster and its endpoints. */
import { resolve } from 'node:path';
import type { Address } from '../../../core/address.ts';
import { MAX_SOCKET_PATH_BYTES, formatAddress } from '../../../core/address.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import type { Format } from '../../syntax/formats.ts';
import {
  FormatError,
  describe,
  dialAddress,
  duration,
  integer,
  oneOf,
  toggle,
} from '../../syntax/formats.ts';
import { hostName, serviceName } from '../../syntax/host.ts';
import type { Problems } from '../../syntax/problems.ts';
import type { Located } from '../../syntax/section.ts';
import { Section, isMapping, readValue } from '../../syntax/section.ts';
import type { Cluster, ClusterTls, Endpoint, ResolveSettings } from '../../types/cluster.ts';
import { readBalancing } from './balancing.ts';
import { warnOfDates } from '../certificate-warnings.ts';
import { certificateFile, readKeyPair } from '../certificate.ts';
import { HEALTH_KEYS, readHealth } from './health.ts';
import { readResolve } from './resolve.ts';
import { readSticky } from './sticky.ts';

const CLUSTER = {
  what: 'a cluster',
  keys: [
    'name',
    'balancer',
    'hashOn',
    'loadFactor',
    'sticky',
    'connectTimeout',
    'retries',
    'retryBudget',
    'maxConnections',
    ...HEALTH_KEYS,
    'resolve',
    'masking',
    'proxyProtocol',
    'tls',
    'endpoints',
  ],
};
const TLS = { what: 'the tls of a cluster', keys: ['serverName', 'ca', 'verify', 'cert', 'key'] };
const ENDPOINT = { what: 'an endpoint', keys: ['address', 'weight', 'maxConnections'] };
const RETRY_BUDGET = { what: '"retryBudget"', keys: ['percent', 'minPerSecond'] };
const CONNECTIONS = { min: 0, max: 100_000_000 };

/** Absolute paths of a cluster's PEM and secret files. Null for those that it does not use. */
export interface ClusterFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly stickySecret: string | null;
}

/** Files of a cluster without any. */
export const NO_FILES: ClusterFiles = { ca: null, cert: null, key: null, stickySecret: null };

/** A cluster and its files. The configuration keeps only the cluster. */
export interface ReadCluster {
  readonly cluster: Cluster;
  readonly files: ClusterFiles;
}

/**
 * Reads one entry of the list of clusters. Returns null if it is not a mapping.
 *
 * @param stickySecret from the environment; null for none
 */
export function readCluster(
  entry: Located<unknown>,
  base: BaseDirectory,
  problems: Problems,
  stickySecret: string | null,
): Located<ReadCluster> | null {
  const section = Section.of(entry.value, entry.path, problems, CLUSTER);
  if (section === null) return null;
  const { tls, files } = readTls(section, base);
  const { sticky, secretFile } = readSticky(section, base, stickySecret);
  const resolve = readResolve(section);
  const cluster: Cluster = {
    name: section.name(),
    ...readBalancing(section),
    sticky,
    connectTimeoutMs: section.optional('connectTimeout', duration({ min: 1, max: 600_000 }), 5000),
    retries: section.optional('retries', integer({ min: 0, max: 100 }), 2),
    retryBudget: readRetryBudget(section),
    maxConnections: section.optional('maxConnections', integer(CONNECTIONS), 0),
    ...readHealth(section),
    resolve,
    masking: section.optional('masking', oneOf('zero', 'random'), 'zero'),
    proxyProtocol: section.optional('proxyProtocol', oneOf('off', 'v1', 'v2'), 'off'),
    tls,
    endpoints: readEndpoints(section, base, resolve),
  };
  const nameless = cluster.endpoints.find(({ address }) => address.kind === 'unix');
  if (tls?.verify === true && tls.serverName === null && nameless !== undefined) {
    const address = formatAddress(nameless.address);
    section.problemAt(
      'tls',
      `serverName is needed to verify the endpoint ${address}, which has no host name`,
    );
  }
  return { path: entry.path, value: { cluster, files: { ...files, stickySecret: secretFile } } };
}

/** Whether a cluster depends on files, which may change while its text stays the same. */
export function usesFiles({ files }: ReadCluster): boolean {
  return Object.values(files).some((file) => file !== null);
}

function readRetryBudget(cluster: Section): Cluster['retryBudget'] {
  const section = cluster.settings('retryBudget', RETRY_BUDGET);
  return {
    percent: section.optional('percent', integer({ min: 0, max: 100 }), 20),
    minPerSecond: section.optional('minPerSecond', integer({ min: 0, max: 1_000_000 }), 10),
  };
}

function readTls(
  cluster: Section,
  base: BaseDirectory,
): { tls: ClusterTls | null; files: Omit<ClusterFiles, 'stickySecret'> } {
  const section = cluster.section('tls', TLS);
  if (section === null) return { tls: null, files: { ca: null, cert: null, key: null } };
  const ca = section.optional('ca', certificateFile(base), null);
  if (ca !== null) warnOfDates(section, 'ca', ca.certificates);
  const hasPair = section.has('cert') || section.has('key');
  const { cert, key } = hasPair ? readKeyPair(section, base) : { cert: null, key: null };
  return {
    tls: {
      serverName: section.optional('serverName', hostName, null),
      ca: ca?.text ?? null,
      verify: section.optional('verify', toggle, true),
      cert: cert?.text ?? null,
      key: key?.text ?? null,
    },
    files: { ca: ca?.path ?? null, cert: cert?.path ?? null, key: key?.path ?? null },
  };
}

function readEndpoints(cluster: Section, base: BaseDirectory, { type }: ResolveSettings): Endpoint[] {
  const endpoints: Endpoint[] = [];
  const seen = new Set<string>();
  const format: Format<Address | null> = type === 'srv' ? serviceName : endpointAddress(base);
  const { problems } = cluster;
  for (const { value, path } of cluster.oneOrMore('endpoints', 'endpoints')) {
    const read = isMapping(value)
      ? readEndpoint({ value, path }, format, problems)
      : readAddress({ value, path }, format, problems);
    if (read === null) continue;
    const text = formatAddress(read.address);
    const same = comparable(read.address);
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

/** Returns a text that is the same for equal addresses: host names ignore case, and paths do not. */
export function comparable(address: Address): string {
  const text = formatAddress(address);
  return address.kind === 'unix' ? text : text.toLowerCase();
}

/** Returns the format of an endpoint's address. Paths of UNIX sockets become absolute. */
export function endpointAddress(base: BaseDirectory): Format<Address> {
  return (value) => {
    const address = dialAddress(value);
    if (address.kind !== 'unix') return address;
    const path = resolve(base.path, address.path);
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { kind: 'unix', path };
    const limit = `the system takes ${MAX_SOCKET_PATH_BYTES} bytes`;
    throw new FormatError(`the path ${path} is too long for a UNIX socket: ${limit}`);
  };
}
