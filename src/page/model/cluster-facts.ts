/** One shape for clusters from frames and from `/status`. */
import type { EndpointHealth } from '../../protocol/cluster-state.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import type { DrainStatus, Status } from '../../protocol/admin/status.ts';
import type { EndpointPaces } from './endpoint-pace.ts';
import type { LiveEndpoint } from './live-types.ts';

export interface EndpointFacts {
  readonly cluster: string;
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  readonly state: EndpointHealth;
  readonly since: string;
  readonly reason: string;
  readonly connections: number;
  readonly connectFailures: number;
  readonly ejections: number;
  readonly probeSeconds: number | null;
  /**
   * Answers per second in the last 10 to 20 s. This field and the fields below are null or false if they come
   * from `/status`.
   */
  readonly rate: number | null;
  /** Mean seconds per answer in the last 10 to 20 s, or since the start if there was no recent answer. */
  readonly mean: number | null;
  /** Whether the mean covers the last 10 to 20 s. */
  readonly isRecent: boolean;
  readonly serverErrors: number | null;
  /** Whether the endpoint is clearly slower than the others of its cluster. */
  readonly isSlow: boolean;
}

export interface ClusterFacts {
  readonly name: string;
  readonly balancer: string;
  readonly panic: boolean;
  readonly drained: boolean;
  readonly connections: number;
  /** 0 for no limit. */
  readonly maxConnections: number;
  readonly retries: number | null;
  readonly rejections: number | null;
  readonly endpointCount: number;
  readonly endpointsUp: number;
  readonly endpoints: readonly EndpointFacts[];
}

/** An endpoint is slow if its mean exceeds {@link SLOW_S} and the median of its cluster times this factor. */
const SLOW_FACTOR = 2;
const SLOW_S = 0.005;
/** Min answers of a mean that is compared. One slow answer, such as the first, decides the mean of a few. */
const MIN_COMPARED_ANSWERS = 30;

/** The facts of an endpoint, and the mean to compare with the other endpoints. */
interface Compared {
  readonly facts: EndpointFacts;
  /** Null if there are too few answers. */
  readonly mean: number | null;
}

/** Returns the clusters of a frame. */
export function clustersOfFrame(frame: LiveFrame, paces: EndpointPaces): readonly ClusterFacts[] {
  return frame.clusters.map((cluster) => ({
    ...cluster,
    endpoints: withSlow(
      cluster.endpoints.map((endpoint) => {
        const pace = paces.paceOf(cluster.name, endpoint);
        const recent = pace?.mean ?? null;
        const sinceStart = meanSinceStart(endpoint);
        const facts = {
          cluster: cluster.name,
          ...endpoint,
          rate: pace?.rate ?? null,
          mean: recent ?? sinceStart,
          isRecent: recent !== null,
          isSlow: false,
        };
        // The comparison uses the mean that the page shows.
        const { answers } = recent === null || pace === null ? endpoint : pace;
        return { facts, mean: answers >= MIN_COMPARED_ANSWERS ? facts.mean : null };
      }),
    ),
  }));
}

/** Returns the clusters of `/status`, which has every cluster but fewer facts. */
export function clustersOfStatus({ clusters, drains }: Status): readonly ClusterFacts[] {
  return clusters.map((cluster) => ({
    name: cluster.name,
    balancer: cluster.balancer,
    panic: cluster.panic,
    drained: isDrained(drains, cluster.name),
    connections: cluster.activeConnections,
    maxConnections: cluster.maxConnections,
    retries: null,
    rejections: null,
    endpointCount: cluster.endpoints.length,
    endpointsUp: cluster.endpoints.filter(({ state }) => state === 'up').length,
    endpoints: cluster.endpoints.map(({ activeConnections, lastProbe, ...endpoint }) => ({
      cluster: cluster.name,
      ...endpoint,
      connections: activeConnections,
      probeSeconds: lastProbe?.seconds ?? null,
      rate: null,
      mean: null,
      isRecent: false,
      serverErrors: null,
      isSlow: false,
    })),
  }));
}

function isDrained(drains: readonly DrainStatus[], cluster: string): boolean {
  return drains.some(({ scope }) => scope.kind === 'cluster' && scope.name === cluster);
}

function meanSinceStart({ answers, answerSeconds }: LiveEndpoint): number | null {
  return answers > 0 && answerSeconds > 0 ? answerSeconds / answers : null;
}

/** Returns the endpoints of one cluster, the slow ones marked. */
function withSlow(endpoints: readonly Compared[]): readonly EndpointFacts[] {
  const means = endpoints.flatMap(({ mean }) => (mean === null ? [] : [mean])).sort((a, b) => a - b);
  const middle = means.length < 2 ? Infinity : means[Math.floor((means.length - 1) / 2)]!;
  return endpoints.map(({ facts, mean }) => ({
    ...facts,
    isSlow: mean !== null && mean > SLOW_S && mean > SLOW_FACTOR * middle,
  }));
}
