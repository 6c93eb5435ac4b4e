/** A listener's dispatcher whose dialler connects to nobody, and whose counters can be read. */
import type { Cluster as ClusterConfig } from '../../../../src/config/types/cluster.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import type { L7Listener } from '../../../../src/config/types/listener.ts';
import type { Route, RouteAction, RouteMatch } from '../../../../src/config/types/route.ts';
import { LiveSet } from '../../../../src/core/collections/live-set.ts';
import { RandomPool } from '../../../../src/core/random-pool.ts';
import { doSteps } from '../../../../src/core/timing/steps.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { BoundConnections } from '../../../../src/l7/bound/bound-connections.ts';
import { BufferBudget } from '../../../../src/l7/buffers/buffer-budget.ts';
import { ListenerStats } from '../../../../src/l7/contract/listener-stats.ts';
import type { UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { Dispatcher } from '../../../../src/l7/dispatch/dispatcher.ts';
import type { L7Environment } from '../../../../src/l7/dispatch/l7-environment.ts';
import { ListenerRoutes } from '../../../../src/l7/dispatch/listener-routes.ts';
import { ConnectionPool } from '../../../../src/l7/http/connection-pool.ts';
import { RequestWriter } from '../../../../src/l7/http/request-writer.ts';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import { allocateLineWindow } from '../../../../src/telemetry/line-window.ts';
import type { Metric } from '../../../../src/telemetry/metrics/metric.ts';
import type { Labels } from '../../../../src/telemetry/block-shape.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import type { ClusterLookup } from '../../../../src/upstream/cluster-lookup.ts';
import { capture, config, l7Listener } from '../../primary/fixtures/config.ts';
import { ANY } from '../../routing/any-match.ts';
import { clusterConfig, clusterLookup, contextOf } from '../../upstream/endpoints.ts';
import { exchangeOf, type FakeExchange } from './exchanges.ts';
import { seriesOf } from '../../../support/block-series.ts';
import { NO_JOURNAL } from '../../../support/journals.ts';
import { NO_TAPS } from '../../../support/taps.ts';

export { ANY };
export const UNCHANGED = { set: new Map(), add: new Map(), remove: [] };

export function routeOf(name: string, match: Partial<RouteMatch>, action: RouteAction): Route {
  return {
    name,
    match: { ...ANY, ...match },
    action,
    headers: { request: UNCHANGED, response: UNCHANGED },
    access: null,
    limits: [],
    errorPages: new Map(),
  };
}

export const respond = (body: string): RouteAction => ({
  kind: 'respond',
  status: 200,
  body,
  contentType: 'text/plain',
});
export const to = (cluster: string, upgrade: 'only' | 'also' | 'never' = 'also'): RouteAction => ({
  kind: 'cluster',
  cluster,
  upgrade,
  rewrite: { host: null, stripPrefix: null, path: null },
});

export interface Terms {
  readonly routes: readonly Route[];
  readonly listener?: Partial<L7Listener>;
  readonly clusters?: readonly ClusterConfig[];
  readonly journal?: L7Environment['journal'];
}

/** What lives on from one configuration to the next. */
interface Kept {
  readonly clusters: ClusterLookup;
  readonly dispatcher: Dispatcher;
}

export interface World extends Kept {
  /** Hands a request to the dispatcher. */
  readonly take: (wanted: Parameters<typeof exchangeOf>[0]) => FakeExchange;
  /** The sum of a metric over all series with the labels. */
  readonly sum: (metric: Metric, labels?: Labels) => number;
  /** The names of clusters whose endpoints were dialled. */
  readonly dialled: readonly string[];
  readonly requests: L7Environment['requests'];
}

/**
 * Makes the dispatcher of a listener.
 *
 * @param kept state taken over from the previous configuration
 * @param options whether the configuration took effect
 */
export function listener(
  { routes, listener: changes = {}, clusters = [clusterConfig()], journal = NO_JOURNAL }: Terms,
  kept?: Kept,
  { inherits = true }: { readonly inherits?: boolean } = {},
): World {
  const own: L7Listener = { ...l7Listener, ...changes, routes };
  const whole: Config = { ...config, listeners: [own], clusters };
  const layout = layoutOf(whole, ['l7-0']);
  const page = new StatsPage(allocatePage(layout), layout);
  const pages = [page.values];
  const { log } = capture();
  const wheel = new TimerWheel(0);
  const clusterContext = contextOf({ pages: [page], all: pages, endpoints: [] });
  const dialled: string[] = [];
  const environment: L7Environment = {
    config: whole,
    page,
    pages,
    descriptors: null as unknown as L7Environment['descriptors'],
    wheel,
    log,
    journal,
    taps: NO_TAPS,
    lineWindows: new Map([[own.name, allocateLineWindow()]]),
    clusters: kept?.clusters ?? clusterLookup(clusters, clusterContext),
    dialler: {
      open: (cluster) => {
        dialled.push(cluster.name);
        return { destroy: () => undefined } as unknown as UpstreamSocket;
      },
    },
    writer: new RequestWriter({ bytes: Buffer.alloc(64 * 1024), send: () => -1 }),
    pool: new ConnectionPool(wheel),
    bound: new BoundConnections(wheel, page, log),
    budget: new BufferBudget(2 ** 20, page),
    requests: new LiveSet(),
    random: new RandomPool(),
    accessServices: null as unknown as L7Environment['accessServices'],
    limits: { guardFor: () => null },
  };
  const stats = new ListenerStats(page, pages, own.name);
  const compiled = doSteps(ListenerRoutes.build(own, environment, null));
  const before = kept?.dispatcher ?? null;
  const dispatcher = new Dispatcher(own, environment, stats, compiled, before);
  if (before !== null && inherits) dispatcher.inherit(before);
  const take = (wanted: Parameters<typeof exchangeOf>[0]): FakeExchange => {
    const exchange = exchangeOf(wanted);
    dispatcher.dispatch(exchange);
    return exchange;
  };
  const sum = (metric: Metric, labels: Labels = {}): number =>
    seriesOf(layout.blocks)
      .filter((series) => series.metric === metric && hasLabels(series.labels, labels))
      .reduce((total, { slot }) => total + page.values[slot]!, 0);
  return { dispatcher, take, sum, dialled, requests: environment.requests, clusters: environment.clusters };
}

function hasLabels(of: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([label, value]) => of[label] === value);
}
