import type { Cluster } from '../../config/types/cluster.ts';
import type { DrainSettings } from '../../config/types/config.ts';
import type { AccessCommand } from '../../protocol/access.ts';
import type { TapCommand } from '../../protocol/tap.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import { scopeKey, type DrainScope, type EvictCommand, type ToWorker } from '../../protocol/to-worker.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { ClusterRecords } from './cluster-records.ts';
import type { CurrentGeneration } from './current-generation.ts';
import type { WorkerPages } from './worker-pages.ts';
import type { WorkerRoster } from './worker-roster.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** A worker that receives messages. */
type ReachableWorker = Pick<WorkerSlot, 'page' | 'generation'> & { send(message: ToWorker): void };

interface BroadcastParts {
  readonly roster: Pick<WorkerRoster<ReachableWorker>, 'serving' | 'everyone'>;
  readonly pages: Pick<WorkerPages, 'directory' | 'slotsOf'>;
  readonly currentGeneration: Pick<CurrentGeneration, 'number'>;
  readonly records: ClusterRecords;
}

/** Sends messages to several workers, and keeps the state that a new worker must know. */
export class Broadcast {
  readonly #parts: BroadcastParts;
  /** By {@link scopeKey}. */
  readonly #drained = new Map<string, DrainScope>();

  constructor(parts: BroadcastParts) {
    this.#parts = parts;
  }

  /** Drained scopes, which a new worker must know. */
  get drained(): readonly DrainScope[] {
    return [...this.#drained.values()];
  }

  /**
   * Stops new work in a scope, and ends its connections at a pace. A rate of 0 leaves the connections open.
   */
  drain(scope: DrainScope, settings: DrainSettings): void {
    const { roster, pages } = this.#parts;
    this.#drained.set(scopeKey(scope), scope);
    const pace = settings.rate === 0 ? null : settings;
    const counted = pages.slotsOf(scope);
    for (const worker of roster.serving) worker.send({ type: 'drain', scope, pace, counted });
  }

  undrain(scope: DrainScope): void {
    this.#drained.delete(scopeKey(scope));
    for (const worker of this.#parts.roster.serving) worker.send({ type: 'undrain', scope });
  }

  /** Publishes the endpoints of a cluster of the current configuration. */
  publish(config: Cluster, state: ClusterState): void {
    const { roster, currentGeneration, records } = this.#parts;
    const record = records.of(config, state);
    for (const worker of roster.everyone) {
      // A leaving worker of an older generation may lack the cluster, and takes no new work.
      if (worker.generation === currentGeneration.number) worker.send({ type: 'cluster', record });
    }
  }

  /**
   * Evicts connections of an endpoint. Each worker evicts in proportion to its connections.
   *
   * @returns whether any worker has a connection to the endpoint
   */
  evict(eviction: Omit<EvictCommand, 'type'>): boolean {
    const { roster, pages } = this.#parts;
    const { cluster, endpoint, count, perSecond } = eviction;
    const slot = pages.directory.slot(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
    const shares = roster.everyone.map((worker) => {
      return { worker, active: new Float64Array(worker.page)[slot] ?? 0 };
    });
    const total = shares.reduce((sum, { active }) => sum + active, 0);
    if (total === 0) return false;
    let before = 0;
    for (const { worker, active } of shares) {
      // Subtract rounded running sums, so that the parts add up to the count.
      const part = Math.round((count * (before + active)) / total) - Math.round((count * before) / total);
      before += active;
      if (part === 0) continue;
      const rate = (perSecond * part) / count;
      worker.send({ type: 'evict', ...eviction, count: part, perSecond: rate });
    }
    return true;
  }

  /** Sends a command about clients or taps to all workers, including draining ones. */
  send(command: AccessCommand | TapCommand): void {
    for (const worker of this.#parts.roster.everyone) worker.send(command);
  }

  /** Announces to the workers that workers started or ended. */
  sendPages(): void {
    const workers = this.#parts.roster.everyone;
    const pages = workers.map(({ page }) => page);
    for (const worker of workers) worker.send({ type: 'pages', pages });
  }
}
