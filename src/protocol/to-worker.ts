/** What the primary says to a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/types/config.ts';
import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import type { ClusterState } from './cluster-state.ts';
import type { SlotTable } from '../telemetry/page-layout.ts';

export type WorkerKind = 'l4' | 'l7';

/** A configuration in the form that workers get it. */
export interface Generation {
  readonly generation: number;
  /**
   * Listener addresses are concrete: port 0 has been replaced by the port that all workers share. So are the
   * engines of listeners of mode l4: `auto` has been replaced.
   */
  readonly config: Config;
  /** Where the series of the configuration are in the stats pages. */
  readonly series: SlotTable;
  /** What is known of the endpoints now; changes come as messages. */
  readonly clusters: readonly ClusterState[];
  /** Memory of a `LineWindow` for each listener, the same as long as the listener is configured. */
  readonly lineWindows: ReadonlyMap<string, SharedArrayBuffer>;
}

/** The payload of a worker's `serve` task: all that it needs to carry traffic. */
export interface WorkerStart extends Generation {
  readonly kind: WorkerKind;
  /** `l7-0`, `l4-1`: the worker's label in metrics and logs, kept when it is started anew. */
  readonly name: string;
  /** The stats pages of all workers of both kinds. */
  readonly pages: readonly SharedArrayBuffer[];
  /** Which of them this worker writes. */
  readonly page: number;
  /** What is drained already, and takes no new work. */
  readonly drained: readonly DrainScope[];
  /** One word of memory that all threads share, 0 while nobody opens a listening socket. */
  readonly listenLock: SharedArrayBuffer;
  /** Of a `Pulse`: where the worker gives signs of life. */
  readonly pulse: SharedArrayBuffer;
  /** Where the thread notes its descriptors: see `sys/descriptors/descriptor-table.ts`. */
  readonly descriptors: SharedArrayBuffer;
  /** What the descriptors of the process are for; null for no limit. */
  readonly descriptorPlan: DescriptorPlan | null;
  /** Of this process, the same for all workers: what sticky cookies are made with where none is configured. */
  readonly secret: string;
  /** For {@link ToWorker} one way and `FromWorker` the other. */
  readonly port: MessagePort;
}

/** What a drain is about. */
export type DrainScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'listener'; readonly name: string }
  | { readonly kind: 'cluster'; readonly name: string }
  /** By its label. That it takes no new work is part of the cluster's state. */
  | { readonly kind: 'endpoint'; readonly cluster: string; readonly name: string };

/** What tells a scope from all others. */
export function scopeKey(scope: DrainScope): string {
  switch (scope.kind) {
    case 'all':
      return 'all';
    case 'listener':
    case 'cluster':
      return `${scope.kind} ${scope.name}`;
    case 'endpoint':
      return `endpoint ${scope.cluster} ${scope.name}`;
  }
}

/** How fast what lives is ended. */
export interface Pace {
  /** Sessions and tunnels a second, of all workers together unless said otherwise; above 0. */
  readonly rate: number;
  /** When the last must be over, in milliseconds from now. */
  readonly deadlineMs: number;
  /** The turn of each is put off by a random time up to this. */
  readonly jitterMs: number;
}

export type ToWorker =
  | PrepareCommand
  | SettleCommand
  | PagesCommand
  | DrainCommand
  | UndrainCommand
  | EndCommand
  | ClusterUpdate
  | EvictCommand
  | FaultCommand
  | FreezeCommand;

/** Get ready for a configuration, without any effect on the one in use; answered by `prepared`. */
interface PrepareCommand extends Generation {
  readonly type: 'prepare';
}

/** Bring what was prepared into force, or forget it. */
interface SettleCommand {
  readonly type: 'settle';
  readonly generation: number;
  readonly commit: boolean;
}

/** Workers have come or gone: these are the pages of all. */
interface PagesCommand {
  readonly type: 'pages';
  readonly pages: readonly SharedArrayBuffer[];
}

/** Take no new work, and end what lives at a pace, or, where there is none, leave it alone. */
interface DrainCommand {
  readonly type: 'drain';
  readonly scope: DrainScope;
  readonly pace: Pace | null;
  /** Slots of the gauges that count the scope: they divide the rate between the workers. */
  readonly counted: readonly number[];
}

/** Take new work again. What has not been ended yet lives on. */
interface UndrainCommand {
  readonly type: 'undrain';
  readonly scope: DrainScope;
}

/**
 * Stop accepting, close WebSockets with 1012 at a pace, let tunnels finish until the grace is over, then end the
 * task. A second one with a grace of 0 ends at once.
 */
interface EndCommand {
  readonly type: 'end';
  readonly graceMs: number;
  /** Null for all WebSockets at once. */
  readonly pace: Pace | null;
  /** Who has the addresses then: where there is anybody, no connection that is being opened may be lost. */
  readonly heirs: Heirs | null;
}

/**
 * Who else listens on the addresses of a worker that ends: another process with workers of its own, or others of this
 * process, of which the newest may have been started in its place.
 */
export type Heirs = 'process' | 'newest' | 'siblings';

/** A cluster's endpoints have changed. */
interface ClusterUpdate {
  readonly type: 'cluster';
  readonly state: ClusterState;
}

/** End some of the connections of an endpoint: WebSockets with 1012, tunnels by closing them. */
export interface EvictCommand {
  readonly type: 'evict';
  readonly cluster: string;
  /** Its label. */
  readonly endpoint: string;
  readonly count: number;
  readonly perSecond: number;
  /** For close frames and the log. */
  readonly reason: string;
}

/** Throw an exception outside of any callback's own handling, as a bug would: for tests of supervision. */
interface FaultCommand {
  readonly type: 'fault';
}

/** Do nothing but spin for a time, as a bug would: for tests of supervision. */
interface FreezeCommand {
  readonly type: 'freeze';
  readonly forMs: number;
}
