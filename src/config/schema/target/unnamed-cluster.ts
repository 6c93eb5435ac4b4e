/** Makes clusters that a configuration writes as addresses, without a name. */
import { createHash } from 'node:crypto';
import type { Address } from '../../../core/address.ts';
import { formatAddress } from '../../../core/address.ts';
import { Composition } from '../../syntax/composition.ts';
import { OutsideValues } from '../../syntax/outside/outside-values.ts';
import { Problems } from '../../syntax/problems.ts';
import { SourceFile } from '../../syntax/source-file.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import type { Cluster } from '../../types/cluster.ts';
import { readCluster } from '../cluster/cluster.ts';

/** Max characters of a cluster's name. */
const MAX_NAME_CHARACTERS = 63;
/** Max characters of the first address in a name that ends with a digest. */
const MAX_FIRST_CHARACTERS = 36;
/** Hex digits of a digest. No port has as many digits, so no name of one address ends like a digest. */
const DIGEST_DIGITS = 12;

/**
 * Returns a cluster of these addresses, with the defaults of every other key. The same addresses in any order
 * give the same cluster.
 *
 * @param addresses at least one, all valid and different
 */
export function unnamedCluster(addresses: readonly Address[], base: BaseDirectory): Cluster {
  const texts = addresses.map(formatAddress).toSorted();
  const value = new Map<string, unknown>([
    ['name', nameOf(texts)],
    ['endpoints', texts],
  ]);
  // The addresses are valid, so there are no problems to place.
  const problems = new Problems(Composition.of('', new SourceFile('')), new OutsideValues({}, base));
  const read = readCluster({ path: [], value }, base, problems, null);
  return read!.value.cluster;
}

/** Derives a name that is a valid metric label: `10.0.0.1-80`, or with a digest `10.0.0.1-80-and-1-more-…`. */
function nameOf(addresses: readonly string[]): string {
  const [first = ''] = addresses;
  const plain = first.replace(':', '-');
  if (addresses.length === 1 && /^[\w.-]+$/.test(plain) && plain.length <= MAX_NAME_CHARACTERS) return plain;
  const label = first
    .replaceAll(/[^\w.]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, MAX_FIRST_CHARACTERS);
  const more = addresses.length === 1 ? '' : `-and-${addresses.length - 1}-more`;
  const digest = createHash('sha256').update(addresses.join('\0')).digest('hex').slice(0, DIGEST_DIGITS);
  return `${label}${more}-${digest}`;
}
