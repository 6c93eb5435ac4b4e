/** Finds the values of clusters without a name in the long form of the configuration. */
import type { UnnamedCluster } from '../../syntax/context.ts';
import type { Path } from '../../syntax/source-file.ts';

/** Values that stand for a mapping with one of its keys, and that key. */
const WHOLE_VALUES: readonly (readonly [path: RegExp, key: string])[] = [
  [/^endpoints\.\d+$/, 'address'],
  [/^sticky$/, 'cookie'],
];

/** Translates paths below keys `to` into paths below `clusters`. */
export class LongPaths {
  /** Index in `clusters`, keyed by the path of the key `to`. */
  readonly #clusters: ReadonlyMap<string, number>;

  /** @param named number of the clusters that come before those without a name */
  constructor(unnamed: readonly UnnamedCluster[], named: number) {
    this.#clusters = new Map(unnamed.map(({ path }, index) => [path.join('.'), named + index]));
  }

  /** Returns the path in the long form. Other paths stay as they are. */
  of(path: Path): Path {
    const length = path.indexOf('to') + 1;
    const cluster = length === 0 ? undefined : this.#clusters.get(path.slice(0, length).join('.'));
    if (cluster === undefined) return path;
    const [first = 0, ...rest] = path.slice(length);
    const inCluster = typeof first === 'number' ? ['endpoints', first, ...rest] : [first, ...rest];
    const text = inCluster.join('.');
    const key = WHOLE_VALUES.find(([pattern]) => pattern.test(text))?.[1];
    return ['clusters', cluster, ...inCluster, ...(key === undefined ? [] : [key])];
  }
}
