import { readClusterRecord, type ClusterRecord } from '../../protocol/cluster-record.ts';
import type { ClusterLookup } from '../../upstream/cluster-lookup.ts';
import { Cluster, type ClusterHome } from '../../upstream/cluster.ts';

/** How the clusters of a generation differ from those of the one before it. */
interface ClusterChange {
  readonly changed: readonly ClusterRecord[];
  /** Names. */
  readonly removed: readonly string[];
}

/** A cluster through all generations that have it. */
interface Place {
  /** What the cluster is made of; not kept up to date once there is one. */
  record: ClusterRecord;
  /** Null before the first use. */
  cluster: Cluster | null;
  draining: boolean;
}

/** A cluster in one generation. */
interface Entry {
  readonly place: Place;
  readonly hashHeader: string | null;
}

/** A prepared book. */
interface NextBook {
  readonly book: ClusterBook;
  /** Brings the book into force: changes the clusters that both have, and retires those that it lacks. */
  readonly commit: () => void;
}

/**
 * The clusters of one generation in one worker. A cluster is made when a client first needs it, and it is the same object in
 * all generations that have it. Clusters with TLS are made at once: a worker refuses a generation whose certificates it cannot
 * use.
 */
export class ClusterBook implements ClusterLookup {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #home: ClusterHome;

  private constructor(entries: ReadonlyMap<string, Entry>, home: ClusterHome) {
    this.#entries = entries;
    this.#home = home;
  }

  /** Makes the book of a worker's first generation. @throws if the TLS settings of a cluster cannot be used */
  static first(records: readonly ClusterRecord[], home: ClusterHome): ClusterBook {
    return new ClusterBook(new Map(records.map((record) => [record.name, entryOf(record, home)])), home);
  }

  /**
   * Prepares the book of the next generation.
   *
   * @throws if the TLS settings of a cluster cannot be used; nothing has changed then
   */
  next({ changed, removed }: ClusterChange): NextBook {
    const home = this.#home;
    const entries = new Map(this.#entries);
    const gone = removed.map((name) => this.#entries.get(name)!.place);
    for (const name of removed) entries.delete(name);
    const commits: (() => void)[] = [];
    for (const record of changed) {
      const known = this.#entries.get(record.name);
      if (known === undefined) {
        entries.set(record.name, entryOf(record, home));
        continue;
      }
      const { place } = known;
      entries.set(record.name, { place, hashHeader: record.hashHeader });
      commits.push(changeOf(place, record, home));
    }
    return {
      book: new ClusterBook(entries, home),
      commit: () => {
        for (const commit of commits) commit();
        for (const { cluster } of gone) cluster?.retire();
      },
    };
  }

  get(name: string): Cluster | undefined {
    const place = this.#entries.get(name)?.place;
    return place === undefined ? undefined : (place.cluster ??= clusterOf(place, this.#home));
  }

  hashHeader(name: string): string | null {
    return this.#entries.get(name)?.hashHeader ?? null;
  }

  /** Applies what the primary says of a cluster's endpoints. */
  update(record: ClusterRecord): void {
    const place = this.#entries.get(record.name)?.place;
    if (place === undefined) return;
    if (place.cluster === null) place.record = record;
    else place.cluster.update(readClusterRecord(record).state);
  }

  /** Lets a cluster take new connections, or not. */
  admit(name: string, admitted: boolean): void {
    const place = this.#entries.get(name)?.place;
    if (place === undefined) return;
    place.draining = !admitted;
    if (place.cluster !== null) place.cluster.draining = !admitted;
  }
}

function entryOf(record: ClusterRecord, home: ClusterHome): Entry {
  const place: Place = { record, cluster: null, draining: false };
  if (record.hasTls) place.cluster = clusterOf(place, home);
  return { place, hashHeader: record.hashHeader };
}

function clusterOf({ record, draining }: Place, home: ClusterHome): Cluster {
  const { settings, state } = readClusterRecord(record);
  const cluster = new Cluster(settings, state, home);
  cluster.draining = draining;
  return cluster;
}

/**
 * Prepares a change of a cluster that both generations have.
 *
 * @returns commits the change
 * @throws if the TLS settings of the cluster cannot be used
 */
function changeOf(place: Place, record: ClusterRecord, home: ClusterHome): () => void {
  const commitOf = (cluster: Cluster): (() => void) => {
    const { settings, state } = readClusterRecord(record);
    return cluster.prepare(settings, state);
  };
  if (place.cluster === null && record.hasTls) {
    // Made only to see whether its TLS settings can be used.
    clusterOf({ ...place, record }, home);
  }
  const prepared = place.cluster === null ? null : commitOf(place.cluster);
  return () => {
    if (prepared !== null) prepared();
    else if (place.cluster === null) place.record = record;
    // A client has needed the cluster meanwhile.
    else commitOf(place.cluster)();
  };
}
