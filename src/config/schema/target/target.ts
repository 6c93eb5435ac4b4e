/** Reads the cluster that a listener, a route or a rule leads to: the key `cluster` or the key `to`. */
import type { Address } from '../../../core/address.ts';
import { formatAddress } from '../../../core/address.ts';
import type { Context } from '../../syntax/context.ts';
import { describe } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { readValue } from '../../syntax/section.ts';
import type { Path } from '../../syntax/source-file.ts';
import { comparable, endpointAddress } from '../cluster/cluster.ts';
import { unnamedCluster } from './unnamed-cluster.ts';

export const TARGET_KEYS = ['cluster', 'to'] as const;
/** Max addresses of one key `to`. */
const MAX_ADDRESSES = 1000;

/** Whether a section says where its connections go, valid or not. */
export function hasTarget(section: Section): boolean {
  return TARGET_KEYS.some((key) => section.has(key));
}

/** Reads a target like {@link readTarget}. Adds an error unless exactly one of the keys is present. */
export function readOnlyTarget(section: Section, context: Context): string {
  return section.only(TARGET_KEYS) === null ? '' : readTarget(section, context);
}

/** Returns the cluster's name. Empty if it is invalid: the configuration is refused then. */
export function readTarget(section: Section, context: Context): string {
  if (!section.has('to')) return context.clusters.read(section);
  const addresses = readAddresses(section, context);
  if (addresses === null) return '';
  const cluster = unnamedCluster(addresses, context.base);
  context.clusters.addUnnamed([...section.path, 'to'], cluster);
  return cluster.name;
}

/** Repeats the reference of a section that an earlier load has read. */
export function repeatTarget(path: Path, name: string, { clusters, items }: Context): void {
  const unnamed = items.unnamed(name);
  if (unnamed === null) clusters.refer([...path, 'cluster'], name);
  else clusters.addUnnamed([...path, 'to'], unnamed);
}

/** Returns the addresses of the key `to`. Null if one of them is invalid. */
function readAddresses(section: Section, { base }: Context): readonly Address[] | null {
  const entries = section.oneOrMore('to', 'addresses');
  if (entries.length > MAX_ADDRESSES) {
    section.problemAt(
      'to',
      `${entries.length} addresses are too many: write a cluster for over ${MAX_ADDRESSES}`,
    );
    return null;
  }
  const found = new Map<string, Address>();
  for (const { value, path } of entries) {
    const address = readValue<Address | null>(value, path, section.problems, endpointAddress(base), null);
    if (address === null) continue;
    const same = comparable(address);
    if (found.has(same)) {
      section.problems.valueError(path, `${describe(formatAddress(address))} is listed twice: list it once`);
    }
    found.set(same, address);
  }
  return found.size > 0 && found.size === entries.length ? [...found.values()] : null;
}
