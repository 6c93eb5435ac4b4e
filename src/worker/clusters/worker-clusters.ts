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
interface SharedCluster {
  /** The settings to create the cluster from. Not updated after its creation. */
  record: ClusterRecord;
  /** Null before the first use. */
  cluster: Cluster | null;
  draining: boolean;
}

/** A cluster in one generation. */
interface Entry {
  readonly shared: SharedCluster;
  readonly hashHeader: string | null;
}

/** The prepared clusters of the next generation. */
interface NextClusters {
  readonly clusters: WorkerClusters;
  /** Applies the change: updates the clusters that both generations contain, and retires removed ones. */
  readonly commit: () => void;
}

/**
 * The clusters of one generation in one worker. A cluster is created when a client first needs it, and all
 * generations that contain it share the object. Clusters with TLS are created at once, so that a worker
 * refuses a generation with unusable certificates.
 */
export class WorkerClusters implements ClusterLookup {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #context: ClusterContext;

  private constructor(entries: ReadonlyMap<string, Entry>, context: ClusterContext) {
    this.#entries = entries;
    this.#context = context;
  }

  /**
   * Creates the clusters of a worker's first generation.
   *
   * @throws Error if a cluster's TLS settings are unusable
   */
  static first(records: readonly ClusterRecord[], context: ClusterContext): WorkerClusters {
    return new WorkerClusters(
      new Map(records.map((record) => [record.name, entryOf(record, context)])),
      context,
    );
  }

  /**
   * Prepares the clusters of the next generation.
   *
   * @throws Error if a cluster's TLS settings are unusable; nothing has changed then
   */
  next({ changed, removed }: ClusterChange): NextClusters {
    const context = this.#context;
    const entries = new Map(this.#entries);
    const gone = removed.map((name) => this.#entries.get(name)!.shared);
    for (const name of removed) entries.delete(name);
    const commits: (() => void)[] = [];
    for (const record of changed) {
      const known = this.#entries.get(record.name);
      if (known === undefined) {
        entries.set(record.name, entryOf(record, context));
        continue;
      }
      const { shared } = known;
      entries.set(record.name, { shared, hashHeader: record.hashHeader });
      commits.push(changeOf(shared, record, context));
    }
    return {
      clusters: new WorkerClusters(entries, context),
      commit: () => {
        for (const commit of commits) commit();
        for (const { cluster } of gone) cluster?.retire();
      },
    };
  }

  get(name: string): Cluster | undefined {
    const shared = this.#entries.get(name)?.shared;
    return shared === undefined ? undefined : (shared.cluster ??= clusterOf(shared, this.#context));
  }

  hashHeader(name: string): string | null {
    return this.#entries.get(name)?.hashHeader ?? null;
  }

  /** Applies the primary's update of a cluster's endpoints. */
  update(record: ClusterRecord): void {
    const shared = this.#entries.get(record.name)?.shared;
    if (shared === undefined) return;
    if (shared.cluster === null) shared.record = record;
    else shared.cluster.update(readClusterRecord(record).state);
  }

  /** Starts or stops a cluster's acceptance of new connections. */
  admit(name: string, admitted: boolean): void {
    const shared = this.#entries.get(name)?.shared;
    if (shared === undefined) return;
    shared.draining = !admitted;
    if (shared.cluster !== null) shared.cluster.draining = !admitted;
  }
}

function entryOf(record: ClusterRecord, context: ClusterContext): Entry {
  const shared: SharedCluster = { record, cluster: null, draining: false };
  if (record.hasTls) shared.cluster = clusterOf(shared, context);
  return { shared, hashHeader: record.hashHeader };
}

function clusterOf({ record, draining }: SharedCluster, context: ClusterContext): Cluster {
  const { settings, state } = readClusterRecord(record);
  const cluster = new Cluster(settings, state, context);
  cluster.draining = draining;
  return cluster;
}

/**
 * Prepares a change of a cluster that both generations contain.
 *
 * @returns a function that commits the change
 * @throws Error if the cluster's TLS settings are unusable
 */
function changeOf(shared: SharedCluster, record: ClusterRecord, context: ClusterContext): () => void {
  const commitOf = (cluster: Cluster): (() => void) => {
    const { settings, state } = readClusterRecord(record);
    return cluster.prepare(settings, state);
  };
  if (shared.cluster === null && record.hasTls) {
    // Created only to check its TLS settings.
    clusterOf({ ...shared, record }, context);
  }
  const prepared = shared.cluster === null ? null : commitOf(shared.cluster);
  return () => {
    if (prepared !== null) prepared();
    else if (shared.cluster === null) shared.record = record;
    // A client has needed the cluster since then.
    else commitOf(shared.cluster)();
  };
}
