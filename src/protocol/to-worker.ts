/** Messages from the primary to a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import type { SlotChange } from '../telemetry/slots/changing-slots.ts';
import type { AccessCommand, Revocation } from './access.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { ConfigChange, WorkerConfig } from './config-change.ts';
import type { TapCommand, TapOrder } from './tap.ts';

export type WorkerKind = 'l4' | 'l7';

/** What every generation tells in full: it is little. */
interface GenerationFacts {
  readonly generation: number;
  /** By listener: memory of its `LineWindow`, the same as long as the listener is configured. */
  readonly lineWindows: ReadonlyMap<string, SharedArrayBuffer>;
  /** By listener with TLS, `uws` excluded: memory of its `TicketKeyRing`, the same as long as the listener has TLS. */
  readonly ticketKeys: ReadonlyMap<string, SharedArrayBuffer>;
  /** By `tableName`: memory of the tables of limits, which stay over reloads as long as their limits do. */
  readonly limitTables: ReadonlyMap<string, SharedArrayBuffer>;
}

/** A configuration, and the state that belongs to it, in the form for workers. */
interface Generation extends GenerationFacts {
  /**
   * Port 0 of listeners has been replaced by the port that all workers share, and the engine `auto` of l4 listeners by a
   * concrete one.
   */
  readonly config: WorkerConfig;
  /** The places of the configuration's blocks in the stats pages: see `SharedSlots`. The clusters' records have those of endpoints. */
  readonly series: SharedArrayBuffer;
  /** Changes of their endpoints follow as messages. */
  readonly clusters: readonly ClusterRecord[];
}

/** A generation by its difference from the one that the worker has. */
export interface GenerationChange extends GenerationFacts {
  readonly config: ConfigChange;
  readonly series: SlotChange;
  readonly clusters: {
    /** Clusters that are new, or that have other settings or endpoints. */
    readonly changed: readonly ClusterRecord[];
    /** Names. */
    readonly removed: readonly string[];
  };
}

/** The payload of a worker's `serve` task. */
export interface WorkerStart extends Generation {
  readonly kind: WorkerKind;
  /** `l7-0`, `l4-1`: the worker's label in metrics and logs, kept when the worker is restarted. */
  readonly name: string;
  /** The revocations in force. Changes follow as messages. */
  readonly revocations: readonly Revocation[];
  /** By URL: the key sets that have been fetched. Changes follow as messages. */
  readonly keySets: ReadonlyMap<string, string>;
  /** The taps that run. Changes follow as messages. */
  readonly taps: readonly TapOrder[];
  /** Names this run of the worker in the ids of sessions: no other run of any process has it. */
  readonly run: string;
  /** Stats pages of all workers of both kinds. */
  readonly pages: readonly SharedArrayBuffer[];
  /** Index of this worker's own page. */
  readonly page: number;
  /** Scopes that are drained already, and take no new work. */
  readonly drained: readonly DrainScope[];
  /** Memory of the `ThreadLock` for closing listening sockets, the same for all threads. */
  readonly listenLock: SharedArrayBuffer;
  /** Memory of the worker's `Pulse`. */
  readonly pulse: SharedArrayBuffer;
  /** Memory for the thread's descriptors: see `sys/descriptors/descriptor-table.ts`. */
  readonly descriptors: SharedArrayBuffer;
  /** How the process divides its descriptors; null for no limit. */
  readonly descriptorPlan: DescriptorPlan | null;
  /** Signs sticky cookies if no secret is configured. The same for all workers of the process. */
  readonly secret: string;
  /** For {@link ToWorker} one way and `FromWorker` the other. */
  readonly port: MessagePort;
}

/** What a drain empties. */
export type DrainScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'listener'; readonly name: string }
  | { readonly kind: 'cluster'; readonly name: string }
  /** `name` is the endpoint's label. The cluster's state keeps new work away from a drained endpoint. */
  | { readonly kind: 'endpoint'; readonly cluster: string; readonly name: string };

/** Returns a key that is unique for the scope. */
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

/** How fast connections are ended. */
export interface Pace {
  /** Sessions and tunnels per second, of all workers together unless said otherwise. Above 0. */
  readonly rate: number;
  /** Milliseconds from now until the last must have ended. */
  readonly deadlineMs: number;
  /** Max random delay of each end, in milliseconds. */
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

/** Get ready for a configuration, without any effect on the one in use. Answered by `prepared`. */
interface PrepareCommand extends GenerationChange {
  readonly type: 'prepare';
}

/** Bring the prepared configuration into force, or drop it. */
interface SettleCommand {
  readonly type: 'settle';
  readonly generation: number;
  readonly commit: boolean;
}

/** Workers have come or gone: the stats pages of all that are there now. */
interface PagesCommand {
  readonly type: 'pages';
  readonly pages: readonly SharedArrayBuffer[];
}

/** Take no new work, and end live connections at a pace. Without a pace, leave them alone. */
interface DrainCommand {
  readonly type: 'drain';
  readonly scope: DrainScope;
  readonly pace: Pace | null;
  /** Slots of the gauges that count the scope, by which the workers divide the rate. */
  readonly counted: readonly number[];
}

/** Take new work again. Remaining connections live on. */
interface UndrainCommand {
  readonly type: 'undrain';
  readonly scope: DrainScope;
}

/**
 * Stop accepting, close WebSockets with 1012 at a pace, let tunnels finish until the grace is over, then end the
 * task. A second command with a grace of 0 ends it at once.
 */
interface EndCommand {
  readonly type: 'end';
  readonly graceMs: number;
  /** Null to close all WebSockets at once. */
  readonly pace: Pace | null;
  /** Who listens on the addresses afterwards. No connection that is being opened may be lost then. Null for nobody. */
  readonly heirs: Heirs | null;
}

/**
 * Who else listens on the addresses of a worker that ends: the workers of another process, the newest worker of this
 * process, which was started in its place, or any other worker of this process.
 */
export type Heirs = 'process' | 'newest' | 'siblings';

/** Endpoints of a cluster have changed. */
interface ClusterUpdate {
  readonly type: 'cluster';
  readonly record: ClusterRecord;
}

/** End some of the connections of an endpoint: WebSockets with 1012, tunnels by closing them. */
export interface EvictCommand {
  readonly type: 'evict';
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  readonly count: number;
  readonly perSecond: number;
  /** For close frames and the log. */
  readonly reason: string;
}

/** Throw an exception that nothing catches, as a bug would. For tests of supervision. */
interface FaultCommand {
  readonly type: 'fault';
}

/** Block the thread for a time, as a bug would. For tests of supervision. */
interface FreezeCommand {
  readonly type: 'freeze';
  readonly forMs: number;
}
