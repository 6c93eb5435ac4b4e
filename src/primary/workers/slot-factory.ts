import { randomBytes } from 'node:crypto';
import type { DescriptorPlan } from '../../core/descriptor-limit.ts';
import type { ClusterRecord } from '../../protocol/cluster-record.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import type { TelemetryListener } from '../../protocol/telemetry-report.ts';
import type { TapOrder } from '../../protocol/tap.ts';
import type { WorkerKind, WorkerStart } from '../../protocol/to-worker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Broadcast } from './broadcast.ts';
import type { ClientService } from './client-service.ts';
import type { CurrentGeneration } from './current-generation.ts';
import { HeldPlaces } from './held-places.ts';
import type { SlotTimings } from './slot-timings.ts';
import type { WorkerPages } from './worker-pages.ts';
import type { WorkerRoster } from './worker-roster.ts';
import { WorkerSlot, type TaskArguments } from './worker-slot.ts';

/** The threads that run the workers' tasks. */
export interface Threads {
  /**
   * Runs a task. Settles when the task or its terminated thread has ended.
   *
   * @param signal terminates the thread
   */
  run(start: WorkerStart, signal: AbortSignal): Promise<unknown>;
  /** Ends all threads. None may have a task. */
  close(): Promise<void>;
}

interface FactoryParts {
  readonly roster: WorkerRoster;
  readonly pages: WorkerPages;
  readonly currentGeneration: CurrentGeneration;
  readonly broadcast: Broadcast;
  readonly threads: Threads;
  readonly timings: SlotTimings;
  readonly log: Logger;
  /** Receives the workers' log lines, events, spans and lines of taps. */
  readonly onTelemetry: TelemetryListener;
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  readonly clientService: ClientService;
  /** Returns the running taps, for a worker that starts. */
  readonly tapOrders: () => readonly TapOrder[];
  /** Returns the current clusters, for a worker that starts. */
  readonly clusterRecords: () => readonly ClusterRecord[];
  /** How the process divides its descriptors; null for no limit. */
  readonly descriptorPlan: DescriptorPlan | null;
  /** Called when a worker that was up before, or retries its starts, does not listen in time. */
  readonly onLate: (slot: WorkerSlot, afterMs: number) => void;
}

interface SlotHistory {
  /** Number of restarts of workers with this name. */
  readonly restarts?: number;
  /** Whether to start the worker again if its first start fails. */
  readonly retriesStart?: boolean;
}

/** Creates slots for workers, and gives each worker what it needs to start. */
export class SlotFactory {
  readonly #parts: FactoryParts;
  /** Signs sticky cookies of clusters without a configured key. */
  readonly #secret = randomBytes(32).toString('base64url');
  /** Workers open and close listening sockets one at a time. */
  readonly #listenLock = new SharedArrayBuffer(4);

  constructor(parts: FactoryParts) {
    this.#parts = parts;
  }

  create(
    kind: WorkerKind,
    name: string,
    { restarts = 0, retriesStart = false }: SlotHistory = {},
  ): WorkerSlot {
    const { pages, currentGeneration, timings, log, onTelemetry, onEndpointFailed, clientService, onLate } =
      this.#parts;
    const page = pages.add();
    const places = new HeldPlaces(() => currentGeneration.facts.limitTables.values());
    const slot: WorkerSlot = new WorkerSlot({
      kind,
      name,
      page,
      clear: () => {
        pages.clearGauges(page);
        places.releaseAll();
      },
      restarts,
      retriesStart,
      timings,
      log,
      onTelemetry,
      onEndpointFailed,
      onAccessReport: (report, reply) => {
        if (report.type === 'limit_ledger') places.add(report);
        else clientService.receive(report, reply);
      },
      onLate: (afterMs) => onLate(slot, afterMs),
      serve: (launch) => this.#serve(slot, launch),
    });
    return slot;
  }

  async #serve(slot: WorkerSlot, { port, pulse, descriptors, signal }: TaskArguments): Promise<unknown> {
    const {
      roster,
      pages,
      currentGeneration,
      broadcast,
      threads,
      clusterRecords,
      descriptorPlan,
      clientService,
      tapOrders,
    } = this.#parts;
    await currentGeneration.decided;
    const { kind, name, page } = slot;
    slot.generation = currentGeneration.number;
    const others = roster.everyone.filter((other) => other !== slot);
    const start: WorkerStart = {
      ...currentGeneration.facts,
      config: currentGeneration.workerConfig,
      series: pages.slots,
      clusters: clusterRecords(),
      secret: this.#secret,
      kind,
      name,
      taps: tapOrders(),
      run: randomBytes(5).toString('hex'),
      revocations: clientService.revocations,
      keySets: clientService.keySets,
      pages: [page, ...others.map((other) => other.page)],
      page: 0,
      drained: broadcast.drained,
      listenLock: this.#listenLock,
      pulse: pulse.memory,
      descriptors,
      descriptorPlan,
      port,
    };
    return threads.run(start, signal);
  }
}
