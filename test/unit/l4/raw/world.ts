/** A listener of the raw engine in the test's own thread, with what a worker gives to one. */
import type { LimitGuard } from '../../../../src/access/contract/limit-guard.ts';
import type { Cluster as ClusterConfig } from '../../../../src/config/types/cluster.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import type { L4Listener as L4ListenerConfig } from '../../../../src/config/types/listener.ts';
import type { Address, TcpAddress } from '../../../../src/core/address.ts';
import type { DescriptorPlan } from '../../../../src/core/descriptor-limit.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { L4Listener } from '../../../../src/l4/l4-listener.ts';
import { RawListener } from '../../../../src/l4/raw/raw-listener.ts';
import { RawLoop } from '../../../../src/l4/raw/raw-tunnel.ts';
import type { TunnelContext } from '../../../../src/l4/tunnel.ts';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import { lowestDescriptor } from '../../../../src/sys/descriptors/lowest-descriptor.ts';
import type { Metric } from '../../../../src/telemetry/metrics/metric.ts';
import type { Labels } from '../../../../src/telemetry/block-shape.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import type { Taps } from '../../../../src/telemetry/tap/tap.ts';
import { Cluster, type ClusterContext } from '../../../../src/upstream/cluster.ts';
import { DescriptorGate } from '../../../../src/upstream/descriptor-gate.ts';
import { guardsOf } from '../../access/fakes.ts';
import { capture, config } from '../../primary/fixtures/config.ts';
import type { LogLine } from '../../primary/fixtures/config.ts';
import { freshAddress } from '../../sys/pairs.ts';
import { clusterState, contextOf } from '../../upstream/endpoints.ts';
import { seriesOf } from '../../../support/block-series.ts';
import { journalOf } from '../../../support/journals.ts';
import { NO_TAPS } from '../../../support/taps.ts';

export interface World {
  readonly listener: L4Listener;
  readonly loop: RawLoop;
  readonly context: TunnelContext;
  readonly address: TcpAddress;
  readonly lines: readonly LogLine[];
  /** The sum of a metric's series that have these labels among theirs. */
  readonly sum: (metric: Metric, labels?: Labels) => number;
}

interface Options {
  readonly listener?: Partial<L4ListenerConfig>;
  readonly cluster?: Partial<ClusterConfig>;
  readonly clusterContext?: Partial<ClusterContext>;
  /** Addresses of the first endpoint's name. */
  readonly resolved?: readonly Address[];
  readonly descriptors?: DescriptorPlan;
  readonly limits?: LimitGuard;
  readonly taps?: Taps;
}

/** Makes a listener whose cluster has these endpoints, and ends it when the test has ended. */
export async function withWorld(
  endpoints: readonly Address[],
  options: Options,
  test: (world: World) => Promise<void>,
): Promise<void> {
  const { address } = await freshAddress('IPv4');
  if (address.kind !== 'tcp') throw new Error('no port');
  const cluster: ClusterConfig = {
    ...config.clusters[0]!,
    endpoints: endpoints.map((address) => ({ address, weight: 1, maxConnections: 0 })),
    ...options.cluster,
  };
  const listener: L4ListenerConfig = {
    name: 'tcp',
    mode: 'l4',
    address,
    maxConnections: 0,
    trustedProxies: [],
    proxyProtocol: 'off',
    passthrough: [],
    access: null,
    limits: [],
    cluster: cluster.name,
    engine: 'raw',
    idleTimeoutMs: 0,
    halfCloseTimeoutMs: 0,
    ...options.listener,
  };
  const whole: Config = { ...config, listeners: [listener], clusters: [cluster] };
  const layout = layoutOf(whole, ['l4-0']);
  const page = new StatsPage(allocatePage(layout), layout);
  const pages = [page.values];
  const { log, lines } = capture();
  const whatIsKnown = clusterState(cluster);
  const [first, ...others] = whatIsKnown.endpoints;
  const { resolved } = options;
  const state =
    resolved === undefined
      ? whatIsKnown
      : { ...whatIsKnown, endpoints: [{ ...first!, addresses: resolved }, ...others] };
  const wheel = new TimerWheel(performance.now());
  const clusterContext = contextOf({ pages: [page], all: pages, endpoints: [] }, options.clusterContext);
  const loop = new RawLoop(wheel);
  const served = new L4Listener(
    listener,
    {
      page,
      pages,
      clusters: new Map([[cluster.name, new Cluster(cluster, state, clusterContext)]]),
      descriptors: new DescriptorGate(options.descriptors ?? null, pages, lowestDescriptor(), log),
      wheel,
      log,
      journal: journalOf(lines),
      taps: options.taps ?? NO_TAPS,
      limits: guardsOf(options.limits ?? null),
    },
    (owner) => new RawListener(owner, loop),
  );
  const context = served.contexts[0]!;
  const world: World = {
    listener: served,
    loop,
    context,
    address,
    lines,
    sum: (metric, labels = {}) =>
      seriesOf(layout.blocks)
        .filter((series) => series.metric === metric && hasLabels(series.labels, labels))
        .reduce((sum, { slot }) => sum + page.values[slot]!, 0),
  };
  try {
    await world.listener.listen();
    await test(world);
  } finally {
    world.listener.close();
    for (const tunnel of context.tunnels) tunnel.abort();
    loop.close();
  }
}

function hasLabels(of: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([label, value]) => of[label] === value);
}
