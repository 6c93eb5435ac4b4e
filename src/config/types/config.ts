/**
 * The configuration as the rest of sluice sees it: checked, with every default filled in, in one form (milliseconds, bytes,
 * absolute paths), and never changed after loading.
 */
import type { TcpAddress } from '../../core/address.ts';
import type { Cluster } from './cluster.ts';
import type { RedisSettings, RevocationSettings } from './limits.ts';
import type { Listener } from './listener.ts';

export interface Config {
  readonly workers: WorkerSettings;
  readonly admin: AdminSettings;
  readonly metrics: MetricsSettings;
  readonly log: LogSettings;
  /** Null without traces. */
  readonly tracing: TracingSettings | null;
  readonly shutdown: ShutdownSettings;
  readonly drain: DrainSettings;
  /** Null without limits over several machines. */
  readonly redis: RedisSettings | null;
  readonly revocations: RevocationSettings;
  /** The clusters that the built-in demo backends serve; null for no demo. */
  readonly demo: DemoSettings | null;
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
}

interface AdminSettings {
  readonly address: TcpAddress;
  /** Host names, in lower case, that requests may have besides IP addresses, `localhost` and the name in `address`. */
  readonly hosts: readonly string[];
  /** The bearer token that allows changes (`POST`); null to allow none. */
  readonly token: string | null;
  /** What taps may show: nothing, frames without payload, or all. */
  readonly tap: 'off' | 'headers' | 'payload';
  /** Rules of redaction that hold for every tap: see `core/redaction/`. They have been checked. */
  readonly tapRedact: readonly string[];
}

interface MetricsSettings {
  /** Whether `/metrics` has the series with the label `endpoint`. */
  readonly endpoints: boolean;
}

/** Worker threads of each mode, with `auto` replaced by the number of cores, and what they share. */
interface WorkerSettings {
  readonly l7: number;
  readonly l4: number;
  /** Max bytes that wait in the sessions of all workers together. */
  readonly bufferBudget: number;
  /** Silence after which a worker counts as stuck; 0 for never. */
  readonly stuckAfterMs: number;
  /** Max time that a new worker spends on handshakes of its own before it serves clients; 0 for none. */
  readonly warmUpMs: number;
}

interface ShutdownSettings {
  /** Time for which sessions and tunnels continue after SIGTERM. */
  readonly graceMs: number;
  /** Time for which `/readyz` answers 503 before a shutdown or a drain of everything begins. */
  readonly readyDelayMs: number;
}

/** The pace at which a drain ends connections. */
export interface DrainSettings {
  /** Sessions and tunnels per second over all workers. */
  readonly rate: number;
  /** Time after which a drain ends all remaining connections. */
  readonly deadlineMs: number;
  /** Max random delay of each end. */
  readonly jitterMs: number;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** How requests, refused handshakes, sessions and tunnels are logged; null if they are not. */
  readonly access: AccessLogSettings | null;
  /** How access lines name principals: as they are, as a digest, or not. */
  readonly principal: 'plain' | 'hashed' | 'off';
  /** Absolute path of the log file; null for standard output. */
  readonly file: string | null;
  /** Size at which the log file is rotated; 0 for never. */
  readonly maxSizeBytes: number;
  /** Number of rotated files that are kept. */
  readonly keep: number;
}

export interface AccessLogSettings {
  /** Absolute path of a file of its own; null if the lines go to the log. */
  readonly file: string | null;
  readonly format: 'json' | 'combined' | 'text';
  /** The part of requests, sessions and tunnels without failures that are logged, from 0 to 1. */
  readonly sample: number;
  /** Names of the fields of JSON lines; null for all. */
  readonly fields: readonly string[] | null;
  /** Time from which a request, or a handshake, is logged although sampling has not chosen it; 0 for none. */
  readonly slowMs: number;
  /** Size at which {@link file} is rotated; 0 for never. */
  readonly maxSizeBytes: number;
  /** Number of rotated files that are kept. */
  readonly keep: number;
}

/** Which requests and sessions are traced, and who gets the spans. */
export interface TracingSettings {
  /** Of an OTLP collector, by HTTP. */
  readonly url: string;
  /** The part of traces that are sampled if nobody before has decided: 0 to 1. */
  readonly sample: number;
  /** Headers for the collector. The values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** By the name of the route: its part in place of `sample`. */
  readonly routes: Readonly<Record<string, number>>;
}

/** Names of clusters whose endpoints the demo listens on. */
export interface DemoSettings {
  readonly echo: string | null;
  readonly chat: string | null;
}
