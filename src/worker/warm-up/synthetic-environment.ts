import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/types/config.ts';
import { formatAddress } from '../../core/address.ts';
import { TICKET_KEY_BYTES, TicketKeyRing, allocateTicketKeys } from '../../core/ticket-key-ring.ts';
import { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import { writeClusterRecord } from '../../protocol/cluster-record.ts';
import { layoutOf } from '../../protocol/stats-layout.ts';
import { ChangingSlots } from '../../telemetry/slots/changing-slots.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { PageLayout } from '../../telemetry/page-layout.ts';
import { allocateLineWindow } from '../../telemetry/line-window.ts';
import { SharedSlots, writeSharedSlots } from '../../telemetry/slots/shared-slots.ts';
import { createWorkerLogger } from '../../telemetry/worker-logger.ts';
import { StatsPage, allocatePage } from '../../telemetry/stats-page.ts';
import { allocateCursor } from '../../upstream/balancers/shared-cursor.ts';
import { DescriptorGate } from '../../upstream/descriptor-gate.ts';
import { SecretNames } from '../../wire/redaction/secret-names.ts';
import { AccessLink } from '../access/access-link.ts';
import { WorkerLimits } from '../access/worker-limits.ts';
import { WorkerClusters } from '../clusters/worker-clusters.ts';
import type { Environment } from '../environment.ts';
import { WorkerJournal } from '../journal/worker-journal.ts';
import { SpanOutbox } from '../spans/span-outbox.ts';
import { SpanSink } from '../spans/span-sink.ts';
import { WorkerTaps } from '../tap/worker-taps.ts';
import { TapCounts } from '../tap/tap-counts.ts';
import { TicketKeyRings } from '../ticket-key-rings.ts';

/** Creates an isolated environment: its stats page is never read, and its log lines are dropped. */
export function syntheticEnvironment(config: Config): Environment {
  const layout = layoutOf(config, []);
  const slots = new ChangingSlots(new SharedSlots(writeSharedSlots(layout.table)));
  const page = new StatsPage(allocatePage(layout), slots);
  const pages = [page.values];
  const log = createWorkerLogger(config.log, '', () => undefined);
  const descriptors = new DescriptorGate(null, pages, () => 0, log);
  const wheel = new TimerWheel(performance.now());
  const spans = new SpanOutbox(wheel, 1, () => undefined);
  const clusterContext = { page, pages, secret: '', onEndpointFailed: () => undefined, descriptors };
  return {
    config,
    generation: 0,
    page,
    slots,
    pages,
    wheel,
    log,
    journal: new WorkerJournal(
      { worker: '', log, access: log, events: null, spans: new SpanSink(spans) },
      config.log,
    ),
    spans,
    taps: new WorkerTaps(
      {
        run: '',
        hasSessions: true,
        wheel,
        service: () => ({ sessions: () => [], nextTurn: setImmediate }),
        counters: new TapCounts(page),
        secretNames: new SecretNames([]),
        send: () => undefined,
        onFault: () => undefined,
      },
      [],
    ),
    clients: new AccessLink({ revocations: [], keySets: new Map() }, () => undefined),
    limits: WorkerLimits.first(new Map(), page, wheel, () => undefined),
    lineWindows: new Map(config.listeners.map(({ name }) => [name, allocateLineWindow()])),
    ticketKeys: new TicketKeyRings(new Map(config.listeners.map(({ name }) => [name, newTicketKeys()]))),
    clusters: WorkerClusters.first(
      config.clusters.map((cluster) =>
        writeClusterRecord(cluster, stateOf(cluster), slotIn(layout, cluster.name)),
      ),
      clusterContext,
    ),
    descriptors,
  };
}

function stateOf({ name, endpoints }: Config['clusters'][number]): ClusterState {
  return {
    cluster: name,
    cursor: allocateCursor(),
    endpoints: endpoints.map(({ address, weight, maxConnections }) => ({
      label: formatAddress(address),
      slot: null,
      server: address,
      addresses: [address],
      weight,
      priority: 0,
      maxConnections,
      health: 'up',
      warmLeftMs: 0,
    })),
  };
}

function slotIn(layout: PageLayout, cluster: string): (endpoint: string) => number {
  return (endpoint) => layout.slot(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
}

/** Creates the memory of a ring with one private key. */
function newTicketKeys(): SharedArrayBuffer {
  const memory = allocateTicketKeys();
  new TicketKeyRing(memory).replace([randomBytes(TICKET_KEY_BYTES)]);
  return memory;
}
