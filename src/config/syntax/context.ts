/** Shared context for reading listeners and routes. */
import type { BaseDirectory } from './files.ts';
import { describe, text } from './formats.ts';
import type { ItemReading } from './item-memory.ts';
import { nearest } from './nearest.ts';
import type { Problems } from './problems.ts';
import type { Located, Section } from './section.ts';
import type { Cluster } from '../types/cluster.ts';
import type { ErrorPage } from '../types/error-page.ts';
import type { Path } from './source-file.ts';

export interface Context {
  /** The directory at which relative paths start. */
  readonly base: BaseDirectory;
  readonly problems: Problems;
  readonly clusters: ClusterNames;
  /** Clusters and routes known from an earlier load. */
  readonly items: ItemReading;
  /** Filled with each list of CIDR blocks that comes from files, in part or in whole. */
  readonly blockLists: Map<readonly string[], readonly BlockSource[]>;
  /** Error pages read so far, keyed by absolute path. */
  readonly pages: Map<string, ErrorPage>;
  /** Whether limits can be counted across machines. */
  readonly hasRedis: boolean;
}

/** Source of CIDR blocks: a block, or the absolute path of a file of blocks. */
export type BlockSource = string | { readonly file: string };

/** Max names in a message. */
const MAX_LISTED = 10;

/** Names of the clusters, references to them, and clusters without a configured name. */
export class ClusterNames {
  readonly #known: readonly Located<string>[];
  readonly #names: ReadonlySet<string>;
  readonly #problems: Problems;
  readonly #complete: boolean;
  readonly #used = new Set<string>();
  readonly #unnamed = new Map<string, Cluster>();

  /** @param complete false if a cluster could not be read; then no name is reported as unknown */
  constructor(known: readonly Located<string>[], complete: boolean, problems: Problems) {
    this.#known = known;
    this.#names = new Set(known.map(({ value }) => value));
    this.#complete = complete;
    this.#problems = problems;
  }

  /** Reads the required key `cluster` of a section, which must name a cluster. */
  read(section: Section): string {
    const name = section.required('cluster', text('the name of a cluster'), '');
    if (name !== '') this.refer([...section.path, 'cluster'], name);
    return name;
  }

  /** Records a reference to a cluster. Adds an error if the cluster does not exist. */
  refer(path: Path, name: string): void {
    this.#used.add(name);
    if (!this.#complete || this.#names.has(name)) return;
    const names = [...this.#names];
    const near = nearest(name, names);
    const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
    const listed = names.slice(0, MAX_LISTED).join(', ');
    const list = names.length === 0 ? 'there are no clusters' : `the clusters are ${listed}${more}`;
    const hint = near === undefined ? list : `did you mean "${near}"?`;
    this.#problems.error(path, `there is no cluster ${describe(name)}: ${hint}`);
  }

  /** Clusters that are written as addresses, in the order of their first use. */
  get unnamed(): readonly Cluster[] {
    return [...this.#unnamed.values()];
  }

  /** Adds a cluster with a derived name. Adds an error if a configured cluster has the name. */
  addUnnamed(path: Path, cluster: Cluster): void {
    const { name } = cluster;
    if (this.#names.has(name)) {
      this.#problems.error(
        path,
        `these addresses make a cluster "${name}", and "clusters" has one: write cluster: ${name}, or rename that cluster`,
      );
    }
    if (!this.#unnamed.has(name)) this.#unnamed.set(name, cluster);
  }

  /** Warns of each cluster without a reference. */
  warnOfUnused(): void {
    for (const { path, value } of this.#known) {
      if (!this.#used.has(value)) this.#problems.warning(path, `nothing uses the cluster "${value}"`);
    }
  }
}
