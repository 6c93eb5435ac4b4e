/** Reads the cluster that a listener, a route or a rule leads to: the key `cluster` or the key `to`. */
import type { Context } from '../../syntax/context.ts';
import { below, type Elsewhere } from '../../syntax/hints/elsewhere.ts';
import type { Section } from '../../syntax/section.ts';
import { isMapping } from '../../syntax/section.ts';
import type { Path } from '../../syntax/source-file.ts';
import { CLUSTER_KEYS, NO_FILES, readUnnamedCluster, type ReadCluster } from '../cluster/cluster.ts';
import { readEndpoints } from '../cluster/endpoints.ts';
import type { Place } from './place.ts';

export const TARGET_KEYS = ['cluster', 'to'] as const;

/** Keys of a cluster, which belong below `to`. */
export const BELOW_TO: readonly Elsewhere[] = [
  below('to', ['endpoints']),
  {
    keys: CLUSTER_KEYS.filter((key) => key !== 'endpoints'),
    write: 'to: { KEY: ..., endpoints: ... }',
  },
];

/** Whether a section says where its connections go, valid or not. */
export function hasTarget(section: Section): boolean {
  return TARGET_KEYS.some((key) => section.has(key));
}

/** Reads a target like {@link readTarget}. Adds an error unless exactly one of the keys is present. */
export function readOnlyTarget(section: Section, place: Place | null, context: Context): string {
  return section.only(TARGET_KEYS) === null ? '' : readTarget(section, place, context);
}

/**
 * Returns the cluster's name. Empty if it is invalid: the configuration is refused then.
 *
 * @param place names the cluster of `to`; null if it is invalid itself
 */
export function readTarget(section: Section, place: Place | null, context: Context): string {
  if (!section.has('to')) return context.clusters.read(section);
  const read = readCluster(section, place?.cluster ?? '', context);
  if (read === null || place === null) return '';
  const { listener, route } = place;
  context.clusters.addUnnamed({ path: [...section.path, 'to'], listener, route, ...read });
  return place.cluster;
}

/** Repeats the reference of a named route that an earlier load has read. */
export function repeatTarget(
  path: Path,
  { listener, route, cluster: name }: Place,
  { clusters, items }: Context,
): void {
  const cluster = items.unnamed(name);
  if (cluster === null) clusters.refer([...path, 'cluster'], name);
  else clusters.addUnnamed({ path: [...path, 'to'], listener, route, cluster, files: NO_FILES });
}

/** Reads a whole cluster, a list of endpoints, or one address. Returns null if it has no endpoint. */
function readCluster(section: Section, name: string, context: Context): ReadCluster | null {
  const value = section.raw('to');
  if (isMapping(value)) {
    return readUnnamedCluster({ value, path: [...section.path, 'to'] }, name, context);
  }
  const { base, problems, defaults } = context;
  const errors = problems.errorCount;
  const entries = section.oneOrMore('to', 'endpoints');
  const endpoints = readEndpoints(entries, base, problems, defaults.resolve.type);
  if (problems.errorCount > errors) return null;
  return { cluster: { name, ...defaults, endpoints }, files: NO_FILES };
}
