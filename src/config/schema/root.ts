/** Reads the whole configuration and checks its parts against each other. */
import { join } from 'node:path';
import { overlap } from '../../core/address.ts';
import type { Steps } from '../../core/timing/steps.ts';
import { ClusterNames } from '../syntax/context.ts';
import type { BlockSource, Context } from '../syntax/context.ts';
import type { BaseDirectory } from '../syntax/files.ts';
import type { ItemReading } from '../syntax/item-memory.ts';
import type { Problems } from '../syntax/problems.ts';
import { isMapping, type Located } from '../syntax/section.ts';
import type { ClusterFiles } from '../types/cluster.ts';
import type { Config, DemoSettings } from '../types/config.ts';
import type { RedisSettings } from '../types/limits.ts';
import type { Listener } from '../types/listener.ts';
import { readAdmin } from './admin.ts';
import { warnOfDescriptors, warnOfUnfinishedMessages } from './capacity.ts';
import type { ClusterTerms, ReadCluster } from './cluster/cluster.ts';
import { NO_FILES, defaultSettings, readCluster, usesFiles } from './cluster/cluster.ts';
import { readListener } from './listener/listener.ts';
import { fileToWrite, readLog } from './log.ts';
import type { Settings } from './settings.ts';
import { warnOfLoops } from './loops.ts';
import { LongPaths } from './target/long-path.ts';
import { readTracing } from './tracing/tracing.ts';
import { checkTunnelClusters } from './tunnel-clusters.ts';
import { refuseSharedAddresses, refuseDuplicateNames } from './uniqueness.ts';

/** The revocation file in the service manager's state directory. */
const REVOCATION_FILE = 'revocations.json';

interface ReadConfig {
  readonly config: Config;
  /** Keyed by cluster name. */
  readonly clusterFiles: ReadonlyMap<string, ClusterFiles>;
  /** Sources of each list of CIDR blocks, as the file has them. */
  readonly blockLists: ReadonlyMap<readonly string[], readonly BlockSource[]>;
  /** Paths of values in the long form. */
  readonly longPaths: LongPaths;
}

/**
 * Reads every setting. Yields after each cluster and each route.
 *
 * @param base the directory at which relative paths start
 * @param items clusters and routes known from an earlier load
 * @param descriptorLimit max open descriptors of the process; null for no limit
 * @returns a configuration that is valid if `problems` has no error
 */
export function* readRoot(
  settings: Settings,
  base: BaseDirectory,
  problems: Problems,
  items: ItemReading,
  descriptorLimit: number | null,
): Steps<ReadConfig> {
  const terms = { base, problems, stickySecret: settings.stickySecret };
  const clusters = yield* readClusters(settings, terms, items);
  const redis = readRedis(settings, problems);
  const blockLists = new Map<readonly string[], readonly BlockSource[]>();
  const hasRedis = redis !== null;
  const listeners = yield* readListeners(settings, {
    base,
    problems,
    clusters: clusters.names,
    defaults: defaultSettings(terms),
    stickySecret: settings.stickySecret,
    items,
    blockLists,
    pages: new Map(),
    hasRedis,
  });
  yield;
  const config: Config = {
    workers: {
      l7: settings.read('workers.l7'),
      l4: settings.read('workers.l4'),
      bufferBudget: settings.read('workers.bufferBudget'),
      stuckAfterMs: settings.read('workers.stuckAfter'),
      warmUpMs: settings.read('workers.warmUp'),
    },
    admin: readAdmin(settings, problems),
    metrics: { endpoints: settings.read('metrics.endpoints') },
    log: readLog(settings, base, problems),
    tracing: readTracing(
      settings,
      listeners.map(({ value }) => value),
      problems,
    ),
    shutdown: {
      graceMs: settings.read('shutdown.grace'),
      readyDelayMs: settings.read('shutdown.readyDelay'),
    },
    drain: {
      rate: settings.read('drain.rate'),
      deadlineMs: settings.read('drain.deadline'),
      jitterMs: settings.read('drain.jitter'),
    },
    redis,
    revocations: {
      keepMs: settings.read('revocations.keep'),
      file: readRevocationFile(settings, base, problems),
    },
    demo: readDemo(settings, clusters.names, problems),
    listeners: listeners.map(({ value }) => value),
    clusters: [...clusters.read.map(({ value }) => value), ...clusters.names.unnamed].map(
      ({ cluster }) => cluster,
    ),
  };
  yield;
  refuseSharedAddresses(config.admin.address, listeners, problems);
  checkTunnelClusters(listeners, config.clusters, clusters.names, problems);
  warnOfLoops(listeners, config.clusters, clusters.names, problems);
  clusters.names.refuseUnknown();
  clusters.names.warnOfUnused();
  items.keepUnnamed(clusters.names.unnamed.map(({ cluster }) => cluster));
  yield;
  warnOfDescriptors(config, listeners, descriptorLimit, problems);
  warnOfUnfinishedMessages(config, listeners, problems);
  const files = [
    ...clusters.read.map(({ value }) => [value.cluster.name, value.files] as const),
    ...clusters.names.unnamed.map(({ cluster, files }) => [cluster.name, files] as const),
  ];
  const longPaths = new LongPaths(clusters.names.unnamed, clusters.read.length);
  return { config, clusterFiles: new Map(files), blockLists, longPaths };
}

function* readClusters(
  settings: Settings,
  terms: ClusterTerms,
  items: ItemReading,
): Steps<{ read: readonly Located<ReadCluster>[]; names: ClusterNames }> {
  const { problems } = terms;
  const elements = settings.elements('clusters');
  const read: Located<ReadCluster>[] = [];
  for (const { path, value: item } of elements ?? []) {
    const known = items.cluster(item);
    if (known !== null) {
      read.push({ path, value: { cluster: known, files: NO_FILES } });
      continue;
    }
    const problemsBefore = problems.count;
    const { filesRead } = problems.outside;
    const value = problems.outside.valueOfItem(item, path, problems);
    const cluster = readCluster({ path, value }, terms);
    if (cluster !== null) {
      read.push(cluster);
      const dependsOnFiles = usesFiles(cluster.value) || problems.outside.filesRead > filesRead;
      if (problems.count === problemsBefore && !dependsOnFiles)
        items.keepCluster(item, cluster.value.cluster);
    }
    yield;
  }
  const named = read.map(({ path, value }) => ({ path, value: value.cluster.name }));
  refuseDuplicateNames(named, 'clusters', problems);
  const complete = elements === null || (elements.length > 0 && elements.length === read.length);
  return { read, names: new ClusterNames(named, complete, problems) };
}

function* readListeners(settings: Settings, context: Context): Steps<readonly Located<Listener>[]> {
  const elements = settings.elements('listeners');
  if (elements === null) context.problems.error([], 'a configuration needs "listeners"');
  const listeners: Located<Listener>[] = [];
  const named = [];
  const byName = new Map<string, Listener>();
  for (const element of elements ?? []) {
    const listener = yield* readListener(element, context);
    if (listener === null) continue;
    listeners.push(listener);
    const { name, address } = listener.value;
    const isDerived = isMapping(element.value) && !element.value.has('name');
    const same = isDerived ? byName.get(name) : undefined;
    // Overlapping addresses have their own error, and another name would not help.
    if (same !== undefined && overlap(same.address, address)) continue;
    byName.set(name, listener.value);
    named.push({ path: listener.path, value: name, isDerived });
  }
  refuseDuplicateNames(named, 'listeners', context.problems);
  return listeners;
}

/**
 * Returns the path of the revocation file. Defaults to the service manager's state directory, which outlives
 * the process.
 */
function readRevocationFile(settings: Settings, base: BaseDirectory, problems: Problems): string | null {
  const file = settings.read('revocations.file');
  if (file !== null) return fileToWrite(file, ['revocations', 'file'], base, problems);
  return settings.stateDirectory === null ? null : join(settings.stateDirectory, REVOCATION_FILE);
}

/** Reads the key `redis`. Null without a URL. */
function readRedis(settings: Settings, problems: Problems): RedisSettings | null {
  const url = settings.read('redis.url');
  const onFailure = settings.read('redis.onFailure');
  const prefix = settings.read('redis.prefix');
  if (url !== null) return { url, onFailure: onFailure ?? 'local', prefix: prefix ?? 'sluice' };
  for (const [key, value] of Object.entries({ onFailure, prefix })) {
    if (value !== null)
      problems.error(
        ['redis', key],
        `${key} does nothing without redis.url: set that too, or leave ${key} out`,
      );
  }
  return null;
}

function readDemo(settings: Settings, clusters: ClusterNames, problems: Problems): DemoSettings | null {
  const demo: DemoSettings = {
    echo: settings.read('demo.echo'),
    chat: settings.read('demo.chat'),
    feed: settings.read('demo.feed'),
    game: settings.read('demo.game'),
    job: settings.read('demo.job'),
  };
  const owners = new Map<string, string>();
  for (const [key, name] of Object.entries(demo) as [string, string | null][]) {
    if (name === null) continue;
    clusters.refer(['demo', key], name);
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, key);
    else problems.valueError(['demo', key], `"${name}" is the cluster of ${owner}: name another`);
  }
  return owners.size === 0 ? null : demo;
}
