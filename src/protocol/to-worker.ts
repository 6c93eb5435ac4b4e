/** Messages from the primary to a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import type { SlotChange } from '../telemetry/slots/changing-slots.ts';
import type { AccessCommand, Revocation } from './access.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { ConfigChange, WorkerConfig } from './config-change.ts';
import type { TapCommand, TapOrder } from './tap.ts';

export type WorkerKind = 'l4' | 'l7';

/** Parts that every generation sends in full, because they are small. */
interface GenerationFacts {
  readonly generation: number;
  /** Memory of each listener's `LineWindow`, by listener. Stays the same while the listener is configured. */
  readonly lineWindows: ReadonlyMap<string, SharedArrayBuffer>;
  /**
   * Memory of each `TicketKeyRing`, by TLS listener (except engine `uws`). Stays the same while the listener
   * has TLS.
   */
  readonly ticketKeys: ReadonlyMap<string, SharedArrayBuffer>;
  /** Memory of the tables of limits, by `tableName`. A table survives reloads as long as its limit does. */
  readonly limitTables: ReadonlyMap<string, SharedArrayBuffer>;
}

/** A configuration and its state, in the form for workers. */
interface Generation extends GenerationFacts {
  /**
   * Port 0 is already replaced by the port that all workers share, and the engine `auto` of l4 listeners by a
   * concrete engine.
   */
  readonly config: WorkerConfig;
  /**
   * Where the configuration's blocks lie in the stats pages: see `SharedSlots`. Slots of endpoints are in the
   * cluster records.
   */
  readonly series: SharedArrayBuffer;
  /** Changes of endpoints follow as messages. */
  readonly clusters: readonly ClusterRecord[];
}

/** Difference between a generation and the worker's current one. */
export interface GenerationChange extends GenerationFacts {
  readonly config: ConfigChange;
  readonly series: SlotChange;
  readonly clusters: {
    /** Clusters that are new, or whose settings or endpoints changed. */
    readonly changed: readonly ClusterRecord[];
    /** Names of removed clusters. */
    readonly removed: readonly string[];
  };
}

/** Payload of a worker's `serve` task. */
export interface WorkerStart extends Generation {
  readonly kind: WorkerKind;
  /** The worker's label in metrics and logs, such as `l7-0` or `l4-1`. A restarted worker keeps it. */
  readonly name: string;
  /** Revocations in force. Changes follow as messages. */
  readonly revocations: readonly Revocation[];
  /** Fetched key sets by URL. Changes follow as messages. */
  readonly keySets: ReadonlyMap<string, string>;
  /** Running taps. Changes follow as messages. */
  readonly taps: readonly TapOrder[];
  /** Identifies this run of the worker in the ids of sessions. Unique over all processes. */
  readonly run: string;
  /** Stats pages of all workers, l4 and l7. */
  readonly pages: readonly SharedArrayBuffer[];
  /** Index of this worker's own page. */
  readonly page: number;
  /** Scopes that are already drained and take no new work. */
  readonly drained: readonly DrainScope[];
  /** Memory of the `ThreadLock` for closing listening sockets. All threads share it. */
  readonly listenLock: SharedArrayBuffer;
  /** Memory of the worker's `Pulse`. */
  readonly pulse: SharedArrayBuffer;
  /** Memory for the thread's open descriptors: see `sys/descriptors/descriptor-table.ts`. */
  readonly descriptors: SharedArrayBuffer;
  /** How workers divide the process's descriptors; null for no limit. */
  readonly descriptorPlan: DescriptorPlan | null;
  /** Signs sticky cookies if no secret is configured. All workers of the process share it. */
  readonly secret: string;
  /** Carries {@link ToWorker} one way and `FromWorker` the other. */
  readonly port: MessagePort;
}

/** Scope of the drain. */
export type DrainScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'listener'; readonly name: string }
  | { readonly kind: 'cluster'; readonly name: string }
  /** `name` is the endpoint's label. The cluster's state already keeps new work off a drained endpoint. */
  | { readonly kind: 'endpoint'; readonly cluster: string; readonly name: string };

/** Returns a unique key of the scope. */
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

/** How fast to end connections. */
export interface Pace {
  /** Sessions and tunnels per second, above 0, over all workers unless noted otherwise. */
  readonly rate: number;
  /** Milliseconds from now until the last connection must end. */
  readonly deadlineMs: number;
  /** Max random delay of each connection's end, in milliseconds. */
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
  | AccessCommand
  | TapCommand
  | FaultCommand
  | FreezeCommand;

/** Prepare a configuration without touching the current one. Answered by `prepared`. */
interface PrepareCommand extends GenerationChange {
  readonly type: 'prepare';
}

/** Activate the prepared configuration, or drop it. */
interface SettleCommand {
  readonly type: 'settle';
  readonly generation: number;
  readonly commit: boolean;
}

/** Workers started or ended: the stats pages of all current workers. */
interface PagesCommand {
  readonly type: 'pages';
  readonly pages: readonly SharedArrayBuffer[];
}

/** Take no new work, and end open connections at a pace. Without a pace, leave them open. */
interface DrainCommand {
  readonly type: 'drain';
  readonly scope: DrainScope;
  readonly pace: Pace | null;
  /** Slots of the scope's gauges. Workers divide the rate by these gauges. */
  readonly counted: readonly number[];
}

/** Take new work again. Open connections stay open. */
interface UndrainCommand {
  readonly type: 'undrain';
  readonly scope: DrainScope;
}

/**
 * Stop accepting, close WebSockets with 1012 at a pace, and let tunnels finish within the grace period. Then
 * end the task. A second command with a grace period of 0 ends the task at once.
 */
interface EndCommand {
  readonly type: 'end';
  readonly graceMs: number;
  /** Null to close all WebSockets at once. */
  readonly pace: Pace | null;
  /**
   * Who keeps listening on the addresses; null for nobody. With successors, connections that are still opening
   * must not be lost.
   */
  readonly successors: Successors | null;
}

/**
 * Who else listens on the addresses of an ending worker: the workers of another process, this worker's
 * replacement, or any other worker of this process.
 */
export type Successors = 'process' | 'newest' | 'siblings';

/** The endpoints of a cluster changed. */
interface ClusterUpdate {
  readonly type: 'cluster';
  readonly record: ClusterRecord;
}

/** Close some of an endpoint's connections: WebSockets with 1012, tunnels without notice. */
export interface EvictCommand {
  readonly type: 'evict';
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  readonly count: number;
  readonly perSecond: number;
  /** Reason in close frames and the log. */
  readonly reason: string;
}

/** Throw an uncaught exception, like a bug would. For tests of supervision. */
interface FaultCommand {
  readonly type: 'fault';
}

/** Block the thread for a while, like a bug would. For tests of supervision. */
interface FreezeCommand {
  readonly type: 'freeze';
  readonly forMs: number;
}
