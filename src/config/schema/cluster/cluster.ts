/** Reads a cluster. */
import { formatAddress } from '../../../core/address.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import { below } from '../../syntax/hints/elsewhere.ts';
import { duration, integer, oneOf, toggle } from '../../syntax/formats.ts';
import { hostName } from '../../syntax/host.ts';
import type { Problems } from '../../syntax/problems.ts';
import type { Located } from '../../syntax/section.ts';
import { Section } from '../../syntax/section.ts';
import type { Cluster, ClusterFiles, ClusterSettings, ClusterTls } from '../../types/cluster.ts';
import { warnOfDates } from '../certificate-warnings.ts';
import { certificateFile, readKeyPair } from '../certificate.ts';
import { readBalancing } from './balancing.ts';
import { ENDPOINT, readEndpoints } from './endpoints.ts';
import { HEALTH_CHECK, HEALTH_KEYS, OUTLIER, readHealth } from './health.ts';
import { readResolve } from './resolve.ts';
import { STICKY, readSticky } from './sticky.ts';

/** Keys of a cluster except its name. */
export const CLUSTER_KEYS = [
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
];
const TLS = { what: 'the tls of a cluster', keys: ['serverName', 'ca', 'verify', 'cert', 'key'] };
const BELOW_CLUSTER = [
  below('healthCheck', HEALTH_CHECK.keys),
  below('outlier', OUTLIER.keys),
  below('sticky', STICKY.keys),
  below('tls', TLS.keys),
  { keys: ENDPOINT.keys, write: 'endpoints: [{ KEY: ... }]' },
];
const CLUSTER = { what: 'a cluster', keys: ['name', ...CLUSTER_KEYS], elsewhere: BELOW_CLUSTER };
const UNNAMED = {
  what: 'a cluster without a name',
  keys: CLUSTER_KEYS,
  elsewhere: BELOW_CLUSTER,
  notes: {
    name: 'the place of "to" names its cluster: leave name out, or move the cluster to "clusters"',
    address:
      'a mapping in "to" is a whole cluster: write endpoints, or a list of endpoints in place of the mapping',
    file: 'a mapping in "to" is a whole cluster: for an address from a file, write endpoints: [{ address: { file: FILE } }]',
  },
};
const RETRY_BUDGET = { what: '"retryBudget"', keys: ['percent', 'minPerSecond'] };
const CONNECTIONS = { min: 0, max: 100_000_000 };

/** Files of a cluster without any. */
export const NO_FILES: ClusterFiles = { ca: null, cert: null, key: null, stickySecret: null };

/** A cluster and its files. The configuration keeps only the cluster. */
export interface ReadCluster {
  readonly cluster: Cluster;
  readonly files: ClusterFiles;
}

/** What clusters depend on besides their own text. */
export interface ClusterTerms {
  /** The directory at which relative paths start. */
  readonly base: BaseDirectory;
  readonly problems: Problems;
  /** Secret of sticky cookies from the environment. Null for none. */
  readonly stickySecret: string | null;
}

/** Reads one entry of the list of clusters. Returns null if it is not a mapping. */
export function readCluster(entry: Located<unknown>, terms: ClusterTerms): Located<ReadCluster> | null {
  const section = Section.of(entry.value, entry.path, terms.problems, CLUSTER);
  if (section === null) return null;
  return { path: entry.path, value: readNamed(section, section.name(), terms) };
}

/** Reads a mapping with the keys of a cluster except its name. Returns null if it is not a mapping. */
export function readUnnamedCluster(
  { value, path }: Located<unknown>,
  name: string,
  terms: ClusterTerms,
): ReadCluster | null {
  const section = Section.of(value, path, terms.problems, UNNAMED);
  return section === null ? null : readNamed(section, name, terms);
}

/** Returns the settings of a cluster that has only endpoints. */
export function defaultSettings(terms: ClusterTerms): ClusterSettings {
  return readSettings(Section.of(new Map(), ['clusters', 0], terms.problems, UNNAMED)!, terms).settings;
}

function readNamed(section: Section, name: string, terms: ClusterTerms): ReadCluster {
  const { settings, files } = readSettings(section, terms);
  const { base, problems } = terms;
  const entries = section.oneOrMore('endpoints', 'endpoints');
  const endpoints = readEndpoints(entries, base, problems, settings.resolve.type);
  const nameless = endpoints.find(({ address }) => address.kind === 'unix');
  if (settings.tls?.verify === true && settings.tls.serverName === null && nameless !== undefined) {
    const address = formatAddress(nameless.address);
    section.problemAt(
      'tls',
      `serverName is needed to verify the endpoint ${address}, which has no host name`,
    );
  }
  return { cluster: { name, ...settings, endpoints }, files };
}

/** Reads every key except the name and the endpoints. */
function readSettings(
  section: Section,
  { base, stickySecret }: ClusterTerms,
): { settings: ClusterSettings; files: ClusterFiles } {
  const { tls, files } = readTls(section, base);
  const { sticky, secretFile } = readSticky(section, base, stickySecret);
  const settings: ClusterSettings = {
    ...readBalancing(section),
    sticky,
    connectTimeoutMs: section.optional('connectTimeout', duration({ min: 1, max: 600_000 }), 5000),
    retries: section.optional('retries', integer({ min: 0, max: 100 }), 2),
    retryBudget: readRetryBudget(section),
    maxConnections: section.optional('maxConnections', integer(CONNECTIONS), 0),
    ...readHealth(section),
    resolve: readResolve(section),
    masking: section.optional('masking', oneOf('zero', 'random'), 'zero'),
    proxyProtocol: section.optional('proxyProtocol', oneOf('off', 'v1', 'v2'), 'off'),
    tls,
  };
  return { settings, files: { ...files, stickySecret: secretFile } };
}

/** Whether a cluster depends on files, which may change while its text stays the same. */
export function usesFiles({ files }: Pick<ReadCluster, 'files'>): boolean {
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
