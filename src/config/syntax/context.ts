/** Shared context for reading listeners and routes. */
import type { BaseDirectory } from './files.ts';
import { describe, text } from './formats.ts';
import type { ItemReading } from './item-memory.ts';
import { nearest } from './hints/nearest.ts';
import type { Problems } from './problems.ts';
import type { Located, Section } from './section.ts';
import type { Cluster, ClusterFiles, ClusterSettings } from '../types/cluster.ts';
import type { ErrorPage } from '../types/error-page.ts';
import type { Path } from './source-file.ts';

export interface Context {
  /** The directory at which relative paths start. */
  readonly base: BaseDirectory;
  readonly problems: Problems;
  readonly clusters: ClusterNames;
  /** Settings of clusters that are written as endpoints alone. */
  readonly defaults: ClusterSettings;
  /** Secret of sticky cookies from the environment. Null for none. */
  readonly stickySecret: string | null;
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

/** A cluster that is written at the place of its use. */
export interface UnnamedCluster {
  /** Path of the key `to`. */
  readonly path: Path;
  /** Name of the listener. */
  readonly listener: string;
  /** The name that the file gives to the route. Null for other routes and places. */
  readonly route: string | null;
  readonly cluster: Cluster;
  readonly files: ClusterFiles;
}

/** Max names in a message. */
const MAX_LISTED = 10;

/** Names of the clusters, references to them, and clusters without a configured name. */
export class ClusterNames {
  readonly #known: readonly Located<string>[];
  readonly #names: ReadonlySet<string>;
  readonly #problems: Problems;
  readonly #complete: boolean;
  readonly #used = new Set<string>();
  readonly #unknown: Located<string>[] = [];
  readonly #unnamed = new Map<string, UnnamedCluster>();

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

  /** Records a reference to a cluster. */
  refer(path: Path, name: string): void {
    this.#used.add(name);
    if (this.#complete && !this.#names.has(name)) this.#unknown.push({ path, value: name });
  }

  /** Adds an error for each reference to a cluster that does not exist. Call it once all references are known. */
  refuseUnknown(): void {
    for (const { path, value } of this.#unknown) {
      const unnamed = this.findUnnamed(value);
      if (unnamed === null) this.#problems.error(path, this.#faultOf(value));
      else {
        this.#problems.error(
          path,
          `${describe(value)} is the cluster of the "to" at ${this.#problems.placeOf(unnamed.path)}, ` +
            'and only clusters in "clusters" can be named: move it there',
        );
      }
    }
  }

  /** Clusters that are written at the place of their use, in the order of the places. */
  get unnamed(): readonly UnnamedCluster[] {
    return [...this.#unnamed.values()];
  }

  /** Returns the cluster of this name if it is written at the place of its use. */
  findUnnamed(name: string): UnnamedCluster | null {
    return this.#unnamed.get(name) ?? null;
  }

  /** Adds a cluster that its place names. Adds an error if another cluster has the name. */
  addUnnamed(unnamed: UnnamedCluster): void {
    const { path, cluster } = unnamed;
    const { name } = cluster;
    const other = this.#unnamed.get(name);
    if (this.#names.has(name)) {
      this.#problems.error(
        path,
        `the place of "to" names its cluster "${name}", and "clusters" has one of this name: ` +
          `write cluster: ${name}, or rename that cluster, this listener or this route`,
      );
    } else if (other !== undefined && !isSameName(unnamed, other)) {
      this.#problems.error(
        path,
        `the place of "to" names its cluster "${name}", as does the "to" at ${this.#problems.placeOf(other.path)}: ` +
          'give a route a name, rename a listener, or move one of the clusters to "clusters"',
      );
    }
    if (other === undefined) this.#unnamed.set(name, unnamed);
  }

  /** Warns of each cluster without a reference. */
  warnOfUnused(): void {
    for (const { path, value } of this.#known) {
      if (!this.#used.has(value)) this.#problems.warning(path, `nothing uses the cluster "${value}"`);
    }
  }

  #faultOf(name: string): string {
    const names = [...this.#names];
    const near = nearest(name, names);
    const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
    const listed = names.slice(0, MAX_LISTED).join(', ');
    const list = names.length === 0 ? 'there are no clusters' : `the clusters are ${listed}${more}`;
    const hint = near === undefined ? list : `did you mean "${near}"?`;
    return `there is no cluster ${describe(name)}: ${hint}`;
  }
}

/** Whether two listeners, or two routes of a listener, have one name. That is another error. */
function isSameName(one: UnnamedCluster, other: UnnamedCluster): boolean {
  if (one.listener !== other.listener) return false;
  return one.path[1] !== other.path[1] || (one.route !== null && one.route === other.route);
}
