/**
 * The configuration as the rest of sluice sees it: checked, complete (every default filled in), normalised
 * (durations in milliseconds, sizes in bytes, absolute paths) and never changed after loading.
 */
import type { TcpAddress } from '../../core/address.ts';
import type { Cluster } from './cluster.ts';
import type { Listener } from './listener.ts';

export interface Config {
  readonly workers: WorkerSettings;
  readonly admin: AdminSettings;
  readonly log: LogSettings;
  readonly shutdown: ShutdownSettings;
  readonly drain: DrainSettings;
  /** Which clusters the built-in demo backends serve; null where they are not wanted. */
  readonly demo: DemoSettings | null;
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
}

interface AdminSettings {
  readonly address: TcpAddress;
  /** Host names in lower case that requests may have, beside IP addresses, `localhost` and the name in `address`. */
  readonly hosts: readonly string[];
  /** Who shows it may change things (`POST`); null where nobody may. */
  readonly token: string | null;
}

/** Threads of each kind, where `auto` has been replaced by the number of available cores, and what they share. */
interface WorkerSettings {
  readonly l7: number;
  readonly l4: number;
  /** Bytes that may wait in the sessions of all workers together; `auto` is a quarter of the memory there is. */
  readonly bufferBudget: number;
  /** Silence that makes a worker stuck; 0 for never. */
  readonly stuckAfterMs: number;
}

interface ShutdownSettings {
  readonly graceMs: number;
  /** How long `/readyz` says 503 before a shutdown or a drain of everything begins. */
  readonly readyDelayMs: number;
}

/** How what is drained is ended. */
export interface DrainSettings {
  /** Sessions and tunnels a second over all workers. */
  readonly rate: number;
  readonly deadlineMs: number;
  /** The turn of each is put off by a random time up to this. */
  readonly jitterMs: number;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Whether requests, refused handshakes, sessions and tunnels have lines. */
  readonly access: boolean;
  /** Absolute path of the file that the log goes to; null for standard output. */
  readonly file: string | null;
}

/** Names of clusters whose endpoints the demo listens on. */
export interface DemoSettings {
  readonly echo: string | null;
  readonly chat: string | null;
}
