import type { Config } from '../../config/types/config.ts';
import { blocksOf, type LayoutInput } from '../../protocol/stats-layout.ts';
import type { DrainScope, WorkerKind } from '../../protocol/to-worker.ts';
import { pageMetrics, threadMetrics } from '../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../telemetry/metrics/page-shapes.ts';
import { PageSums } from '../../telemetry/page-sums.ts';
import { SeriesDirectory } from '../../telemetry/series-directory.ts';
import { writeSharedSlots } from '../../telemetry/slots/shared-slots.ts';
import { allocatePage, clearGauges } from '../../telemetry/stats-page.ts';

/** Offsets of the gauges in their blocks. */
const SESSIONS = pageShapes.sessions.offsetOf(pageMetrics.sessionsActive)!;
const TUNNELS = pageShapes.tunnels.offsetOf(pageMetrics.tunnelsActive)!;

export const KINDS: readonly WorkerKind[] = ['l7', 'l4'];

/** Keeps the stats pages of all workers, and sums their gauges. */
export class WorkerPages {
  readonly directory: SeriesDirectory;
  readonly sums: PageSums;

  #slots: { readonly version: number; readonly memory: SharedArrayBuffer } | null = null;

  constructor(config: Config) {
    this.directory = new SeriesDirectory(blocksOf(layoutInputOf(config)));
    this.sums = new PageSums(this.directory, []);
  }

  /** Slots of all current blocks except those of endpoints, for workers that start now: see `SharedSlots`. */
  get slots(): SharedArrayBuffer {
    const { version } = this.directory;
    if (this.#slots?.version !== version) {
      const table = this.directory.tableWithout(pageShapes.endpoint);
      this.#slots = { version, memory: writeSharedSlots(table) };
    }
    return this.#slots.memory;
  }

  /** Adds a page for one worker to write. */
  add(): SharedArrayBuffer {
    const page = allocatePage({ size: this.directory.capacity });
    this.sums.add(page);
    return page;
  }

  clearGauges(page: SharedArrayBuffer): void {
    clearGauges(page, this.directory.all());
  }

  /** Removes the page of a worker that has ended. */
  remove(page: SharedArrayBuffer): void {
    this.sums.remove(page, this.directory.all());
  }

  /** Removes a page that its worker may still write. Returns a function to call when the worker has ended. */
  abandon(page: SharedArrayBuffer): () => void {
    const settle = this.sums.abandon(page, this.directory.all());
    return () => settle(this.directory.all());
  }

  /**
   * Counts the sessions and tunnels of a scope, in all workers or in one. For an endpoint, counts requests
   * too.
   */
  count(scope: DrainScope, page: SharedArrayBuffer | null = null): number {
    const values = page === null ? null : new Float64Array(page);
    let sum = 0;
    for (const slot of this.slotsOf(scope)) sum += values === null ? this.sums.at(slot) : values[slot]!;
    return sum;
  }

  /** Counts the sessions and tunnels of one worker. */
  carriedBy(page: SharedArrayBuffer): { readonly sessions: number; readonly tunnels: number } {
    const values = new Float64Array(page);
    let sessions = 0;
    let tunnels = 0;
    for (const { shape, slot } of this.directory.visible()) {
      if (shape === pageShapes.sessions) sessions += values[slot + SESSIONS]!;
      else if (shape === pageShapes.tunnels) tunnels += values[slot + TUNNELS]!;
    }
    return { sessions, tunnels };
  }

  /** Returns the slots of the gauges that {@link count} sums. */
  slotsOf(scope: DrainScope): number[] {
    if (scope.kind === 'endpoint') {
      const { cluster, name: endpoint } = scope;
      const slot = this.directory.find(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
      return slot === undefined ? [] : [slot];
    }
    const slots: number[] = [];
    for (const { shape, labels, slot } of this.directory.visible()) {
      if (scope.kind !== 'all' && labels[scope.kind] !== scope.name) continue;
      if (shape === pageShapes.sessions) slots.push(slot + SESSIONS);
      else if (shape === pageShapes.tunnels) slots.push(slot + TUNNELS);
    }
    return slots;
  }

  /** Returns the number of the oldest configuration that still has connections in a worker. */
  oldestGeneration(worker: string, page: SharedArrayBuffer): number {
    return new Float64Array(page)[this.directory.slot(threadMetrics.oldestGeneration, { worker })]!;
  }
}

/** Lists the workers of a configuration. */
export function namesOf(config: Config): { kind: WorkerKind; name: string }[] {
  return KINDS.filter((kind) => config.listeners.some(({ mode }) => mode === kind)).flatMap((kind) =>
    Array.from({ length: config.workers[kind] }, (_, index) => ({ kind, name: `${kind}-${index}` })),
  );
}

/** Returns the parts of a configuration that its blocks depend on. */
export function layoutInputOf(config: Config): LayoutInput {
  return { config, workers: namesOf(config).map(({ name }) => name) };
}
