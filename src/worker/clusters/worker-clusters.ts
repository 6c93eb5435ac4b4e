import { readClusterRecord, type ClusterRecord } from '../../protocol/cluster-record.ts';
import type { ClusterLookup } from '../../upstream/cluster-lookup.ts';
import { Cluster, type ClusterContext } from '../../upstream/cluster.ts';

/** The cluster changes between a generation and the previous one. */
interface ClusterChange {
  readonly changed: readonly ClusterRecord[];
  /** Names of the removed clusters. */
  readonly removed: readonly string[];
}

/** A cluster across all generations that contain it. */
interface Place {
  /** The settings to create the cluster from. Not updated after its creation. */
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
  /** Applies the book: updates the clusters in both books, and retires removed ones. */
  readonly commit: () => void;
}

/**
 * The clusters of one generation in one worker. A cluster is created when a client first needs it, and all
 * generations that contain it share the object. Clusters with TLS are created at once, so that a worker
 * refuses a generation with unusable certificates.
 */
export class ClusterBook implements ClusterLookup {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #home: ClusterContext;

  private constructor(entries: ReadonlyMap<string, Entry>, home: ClusterContext) {
    this.#entries = entries;
    this.#home = home;
  }

  /**
   * Creates the book of a worker's first generation.
   *
   * @throws Error if a cluster's TLS settings are unusable
   */
  static first(records: readonly ClusterRecord[], home: ClusterContext): ClusterBook {
    return new ClusterBook(new Map(records.map((record) => [record.name, entryOf(record, home)])), home);
  }

  /**
   * Prepares the book of the next generation.
   *
   * @throws Error if a cluster's TLS settings are unusable; nothing has changed then
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

  /** Applies the primary's update of a cluster's endpoints. */
  update(record: ClusterRecord): void {
    const place = this.#entries.get(record.name)?.place;
    if (place === undefined) return;
    if (place.cluster === null) place.record = record;
    else place.cluster.update(readClusterRecord(record).state);
  }

  /** Starts or stops a cluster's acceptance of new connections. */
  admit(name: string, admitted: boolean): void {
    const place = this.#entries.get(name)?.place;
    if (place === undefined) return;
    place.draining = !admitted;
    if (place.cluster !== null) place.cluster.draining = !admitted;
  }
}

function entryOf(record: ClusterRecord, home: ClusterContext): Entry {
  const place: Place = { record, cluster: null, draining: false };
  if (record.hasTls) place.cluster = clusterOf(place, home);
  return { place, hashHeader: record.hashHeader };
}

function clusterOf({ record, draining }: Place, home: ClusterContext): Cluster {
  const { settings, state } = readClusterRecord(record);
  const cluster = new Cluster(settings, state, home);
  cluster.draining = draining;
  return cluster;
}

/**
 * Prepares a change of a cluster that both generations contain.
 *
 * @returns a function that commits the change
 * @throws Error if the cluster's TLS settings are unusable
 */
function changeOf(place: Place, record: ClusterRecord, home: ClusterContext): () => void {
  const commitOf = (cluster: Cluster): (() => void) => {
    const { settings, state } = readClusterRecord(record);
    return cluster.prepare(settings, state);
  };
  if (place.cluster === null && record.hasTls) {
    // Created only to check its TLS settings.
    clusterOf({ ...place, record }, home);
  }
  const prepared = place.cluster === null ? null : commitOf(place.cluster);
  return () => {
    if (prepared !== null) prepared();
    else if (place.cluster === null) place.record = record;
    // A client has needed the cluster since then.
    else commitOf(place.cluster)();
  };
}
