import type { Config } from '../config/types.ts';
import { TimerWheel } from '../core/timer-wheel.ts';
import type { FromWorker } from '../protocol/from-worker.ts';
import { layoutOf } from '../protocol/stats-layout.ts';
import type { WorkerStart } from '../protocol/to-worker.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StatsPage } from '../telemetry/stats-page.ts';
import { Cluster } from '../upstream/cluster.ts';

/** What a worker's listeners live in, made anew for each task. */
export interface Environment {
  readonly config: Config;
  readonly page: StatsPage;
  /** The values of every worker's page, this one's included. */
  readonly pages: readonly Float64Array[];
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** For the access lines, or null where the configuration has none. */
  readonly access: Logger | null;
  readonly clusters: ReadonlyMap<string, Cluster>;
}

/** Throws where a cluster cannot be set up. */
export function createEnvironment(
  start: WorkerStart,
  log: Logger,
  say: (message: FromWorker) => void,
): Environment {
  const { config } = start;
  const page = new StatsPage(start.pages[start.page]!, layoutOf(config, start.workers));
  // A worker that died on this page has left its gauges behind.
  page.clearGauges();
  const pages = start.pages.map((buffer) => new Float64Array(buffer));
  const onEndpointFailed = (cluster: string, endpoint: string): void =>
    say({ type: 'endpoint_failed', cluster, endpoint });
  const home = { page, pages, secret: start.secret, onEndpointFailed };
  const states = new Map(start.clusters.map((state) => [state.cluster, state]));
  return {
    config,
    page,
    pages,
    wheel: new TimerWheel(performance.now()),
    log,
    access: config.log.access && config.log.level !== 'silent' ? log : null,
    clusters: new Map(
      config.clusters.map((cluster) => [cluster.name, new Cluster(cluster, states.get(cluster.name)!, home)]),
    ),
  };
}
