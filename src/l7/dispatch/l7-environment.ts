import type { AccessServices } from '../../access/contract/access-services.ts';
import type { LimitGuards } from '../../access/contract/limit-guard.ts';
import type { Config } from '../../config/types/config.ts';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import type { RandomPool } from '../../core/random-pool.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Journal } from '../../telemetry/journal/journal.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';
import type { Taps } from '../../telemetry/tap/tap.ts';
import type { ClusterLookup } from '../../upstream/cluster-lookup.ts';
import type { DescriptorGate } from '../../upstream/descriptor-gate.ts';
import type { BoundConnections } from '../bound/bound-connections.ts';
import type { BufferBudget } from '../buffers/buffer-budget.ts';
import type { UpstreamDialler } from '../contract/upstream-socket.ts';
import type { ConnectionPool } from '../http/connection-pool.ts';
import type { RequestWriter } from '../http/request-writer.ts';

/** State that all layer 7 listeners share in one worker, whatever their engines. */
export interface L7Environment {
  readonly config: Pick<Config, 'workers' | 'log' | 'tracing'>;
  readonly page: StatsPage;
  /** Values of every worker's page. */
  readonly pages: readonly Float64Array[];
  readonly descriptors: DescriptorGate;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  readonly journal: Journal;
  readonly taps: Taps;
  /** Shared memory by listener name. It bounds, across all workers, the log lines that clients can cause. */
  readonly lineWindows: ReadonlyMap<string, SharedArrayBuffer>;
  readonly clusters: ClusterLookup;
  /** Opens the upstream connections. */
  readonly dialler: UpstreamDialler;
  readonly writer: RequestWriter;
  readonly pool: ConnectionPool;
  readonly bound: BoundConnections;
  readonly budget: BufferBudget;
  /** Proxied requests that have not ended. */
  readonly requests: LiveSet<LiveMember & { cancel(): void }>;
  readonly random: RandomPool;
  readonly accessServices: AccessServices;
  readonly limits: LimitGuards;
}
