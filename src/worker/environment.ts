import { TimerWheel } from '../core/timing/timer-wheel.ts';
import { changedConfig, type WorkerConfig } from '../protocol/config-change.ts';
import type { EndpointFailure, FromWorker } from '../protocol/from-worker.ts';
import type { GenerationChange, WorkerStart } from '../protocol/to-worker.ts';
import { lowestDescriptor } from '../sys/descriptors/lowest-descriptor.ts';
import { LineBatch } from '../telemetry/line-batch.ts';
import type { WorkerLogger } from '../telemetry/worker-logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ChangingSlots } from '../telemetry/slots/changing-slots.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import { SharedSlots } from '../telemetry/slots/shared-slots.ts';
import { StatsPage } from '../telemetry/stats-page.ts';
import type { ClusterContext } from '../upstream/cluster.ts';
import { DescriptorGate } from '../upstream/descriptor-gate.ts';
import { SecretNames } from '../wire/redaction/secret-names.ts';
import { AccessLink } from './access/access-link.ts';
import { WorkerLimits } from './access/worker-limits.ts';
import { WorkerClusters } from './clusters/worker-clusters.ts';
import { EventBatch } from './journal/event-batch.ts';
import { WorkerJournal } from './journal/worker-journal.ts';
import { SpanOutbox } from './spans/span-outbox.ts';
import { SpanSink } from './spans/span-sink.ts';
import { secretSourcesOf } from './tap/secret-sources.ts';
import { WorkerTaps, type TappedService } from './tap/worker-taps.ts';
import { TapCounts } from './tap/tap-counts.ts';
import { TicketKeyRings } from './ticket-key-rings.ts';

/** State shared by the listeners of a worker under one generation. */
export interface Environment {
  readonly config: WorkerConfig;
  readonly generation: number;
  /** All generations share this object, as well as `slots`, `pages` and `wheel`. */
  readonly page: StatsPage;
  /** Finds series in the page. */
  readonly slots: ChangingSlots;
  /** Values of all workers' pages, including this one. The list changes when workers start or end. */
  readonly pages: Float64Array[];
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Shared by all generations. */
  readonly journal: WorkerJournal;
  /** Shared by all generations. */
  readonly spans: SpanOutbox;
  /** Shared by all generations. */
  readonly taps: WorkerTaps;
  /** The worker's information about clients. Shared by all generations. */
  readonly clients: AccessLink;
  readonly limits: WorkerLimits;
  /** Memory of each listener's `LineWindow`, shared by all workers. */
  readonly lineWindows: ReadonlyMap<string, SharedArrayBuffer>;
  /** Shared by all generations. */
  readonly ticketKeys: TicketKeyRings;
  readonly clusters: WorkerClusters;
  /** Shared by all generations. */
  readonly descriptors: DescriptorGate;
}

/** Creates the first environment of a worker. @throws Error if a cluster cannot be set up */
export function createEnvironment(
  start: WorkerStart,
  log: WorkerLogger,
  send: (message: FromWorker) => void,
  service: () => TappedService,
): Environment {
  const { config, generation } = start;
  const slots = new ChangingSlots(new SharedSlots(start.series));
  const page = new StatsPage(start.pages[start.page]!, slots);
  const pages = start.pages.map((buffer) => new Float64Array(buffer));
  const onEndpointFailed = (failure: EndpointFailure): void => send({ type: 'endpoint_failed', failure });
  const descriptors = new DescriptorGate(start.descriptorPlan, pages, lowestDescriptor(), log);
  descriptors.clientSlots = clientSlots(config, page);
  const wheel = new TimerWheel(performance.now());
  const spans = new SpanOutbox(wheel, config.workers.l7, (ended, dropped) =>
    send({ type: 'spans', spans: ended, dropped }),
  );
  const access = new LineBatch((lines) => send({ type: 'access_lines', lines }));
  const suppressedSlot = page.slot(pageMetrics.eventsSuppressed, {});
  const events = new EventBatch(
    wheel,
    (some, suppressed) => send({ type: 'events', events: some, suppressed }),
    () => (page.values[suppressedSlot]! += 1),
  );
  const journal = new WorkerJournal(
    { worker: start.name, log, access, events, spans: new SpanSink(spans) },
    config.log,
  );
  const clusterContext: ClusterContext = { page, pages, secret: start.secret, onEndpointFailed, descriptors };
  return {
    config,
    generation,
    page,
    slots,
    pages,
    wheel,
    log,
    journal,
    spans,
    taps: new WorkerTaps(
      {
        run: start.run,
        hasSessions: start.kind === 'l7',
        wheel,
        service,
        counters: new TapCounts(page),
        secretNames: new SecretNames(secretSourcesOf(config.listeners)),
        send: send,
        onFault: (err) => log.error({ err }, 'tap failed'),
      },
      start.taps,
    ),
    clients: new AccessLink(start, send),
    limits: WorkerLimits.first(start.limitTables, page, wheel, send),
    lineWindows: start.lineWindows,
    ticketKeys: new TicketKeyRings(start.ticketKeys),
    clusters: WorkerClusters.first(start.clusters, clusterContext),
    descriptors,
  };
}

/** A prepared environment. Exactly one of the functions must be called. */
interface NextEnvironment {
  readonly environment: Environment;
  /** Applies the environment: updates the clusters in both environments, and retires removed ones. */
  readonly commit: () => void;
  readonly abort: () => void;
}

/**
 * Prepares the environment of the next generation.
 *
 * @throws Error if a cluster cannot be set up; nothing has changed then
 */
export function nextEnvironment(current: Environment, next: GenerationChange): NextEnvironment {
  // Must precede the clusters: a cluster with TLS is created at once and looks up its slots in the page.
  const slots = current.slots.prepare(next.series, next.generation);
  try {
    return prepareWith(slots, current, next);
  } catch (error) {
    slots.abort();
    throw error;
  }
}

/**
 * Prepares the environment after the next generation's series are known.
 *
 * @throws see {@link nextEnvironment}
 */
function prepareWith(
  slots: ReturnType<ChangingSlots['prepare']>,
  current: Environment,
  next: GenerationChange,
): NextEnvironment {
  const { generation, lineWindows } = next;
  const { log, journal, page, taps, ticketKeys, descriptors } = current;
  const config = changedConfig(current.config, next.config);
  const nextClusters = current.clusters.next(next.clusters);
  ticketKeys.prepare(next.ticketKeys);
  return {
    environment: {
      ...current,
      config,
      generation,
      limits: current.limits.next(next.limitTables, page),
      lineWindows,
      clusters: nextClusters.clusters,
    },
    commit: () => {
      log.level = config.log.level;
      journal.apply(config.log);
      taps.secretNames.replace(secretSourcesOf(config.listeners));
      descriptors.clientSlots = clientSlots(config, page);
      ticketKeys.commit();
      nextClusters.commit();
      slots.commit();
    },
    abort: () => slots.abort(),
  };
}

function clientSlots({ listeners }: WorkerConfig, page: StatsPage): readonly number[] {
  return listeners.map(({ name }) => page.slot(pageMetrics.connectionsActive, { listener: name }));
}
