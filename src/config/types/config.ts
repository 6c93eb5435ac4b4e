/**
 * The configuration after loading: validated, with defaults filled in and units normalized to milliseconds,
 * bytes and absolute paths. It never changes.
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
  /** Null disables tracing. */
  readonly tracing: TracingSettings | null;
  readonly shutdown: ShutdownSettings;
  readonly drain: DrainSettings;
  /** Null disables limits across machines. */
  readonly redis: RedisSettings | null;
  readonly revocations: RevocationSettings;
  /** Clusters served by the built-in demo backends. Null for no demo. */
  readonly demo: DemoSettings | null;
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
}

interface AdminSettings {
  readonly address: TcpAddress;
  /**
   * Host names in lower case that requests may use, besides IP addresses, `localhost` and the name in
   * `address`.
   */
  readonly hosts: readonly string[];
  /** Bearer token that allows changes (`POST`). Null allows none. */
  readonly token: string | null;
  /** What taps may show: nothing, frames without payload, or everything. */
  readonly tap: 'off' | 'headers' | 'payload';
  /** Validated redaction rules that apply to every tap: see `core/redaction/`. */
  readonly tapRedact: readonly string[];
}

interface MetricsSettings {
  /** Whether `/metrics` has series with the label `endpoint`. */
  readonly endpoints: boolean;
}

/**
 * Worker threads of each mode and their shared settings. `auto` is already replaced by the number of cores.
 */
interface WorkerSettings {
  readonly l7: number;
  readonly l4: number;
  /** Max bytes waiting in the sessions of all workers together. */
  readonly bufferBudget: number;
  /** Max silence of a worker before it counts as stuck. 0 for never. */
  readonly stuckAfterMs: number;
  /** Max time that a new worker warms up with its own handshakes before it serves clients. 0 for none. */
  readonly warmUpMs: number;
}

interface ShutdownSettings {
  /** Time that sessions and tunnels may continue after SIGTERM. */
  readonly graceMs: number;
  /** Time that `/readyz` answers 503 before a shutdown or a full drain starts. */
  readonly readyDelayMs: number;
}

/** Pace at which a drain ends connections. */
export interface DrainSettings {
  /** Sessions and tunnels per second over all workers. */
  readonly rate: number;
  /** Max time of a drain before it ends all remaining connections. */
  readonly deadlineMs: number;
  /** Max random delay of each end. */
  readonly jitterMs: number;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogSettings {
  readonly level: LogLevel;
  /** `auto` is pretty if the log goes to a terminal, and JSON if not. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Logging of requests, refused handshakes, sessions and tunnels. Null disables it. */
  readonly access: AccessLogSettings | null;
  /** Form of principals in access lines: plain, as a digest, or omitted. */
  readonly principal: 'plain' | 'hashed' | 'off';
  /** Absolute path of the log file. Null for standard output. */
  readonly file: string | null;
  /** Size at which the log file is rotated. 0 for never. */
  readonly maxSizeBytes: number;
  /** Number of rotated files to keep. */
  readonly keep: number;
}

export interface AccessLogSettings {
  /** Absolute path of a separate file. Null if the lines go to the log. */
  readonly file: string | null;
  readonly format: 'json' | 'combined' | 'text';
  /**
   * Fraction of successful requests, sessions and tunnels to log, from 0 to 1. Failures are always logged.
   */
  readonly sample: number;
  /** Names of the fields of JSON lines. Null for all. */
  readonly fields: readonly string[] | null;
  /** Min duration of requests and handshakes to log even if not sampled. 0 for none. */
  readonly slowMs: number;
  /** Size at which {@link file} is rotated. 0 for never. */
  readonly maxSizeBytes: number;
  /** Number of rotated files to keep. */
  readonly keep: number;
}

/** Sampling of traces, and the collector of their spans. */
export interface TracingSettings {
  /** URL of an OTLP collector, over HTTP. */
  readonly url: string;
  /** Fraction of traces to sample if the client has not decided: 0 to 1. */
  readonly sample: number;
  /** Headers for the collector. The values are secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fractions that replace `sample`, keyed by route name. */
  readonly routes: Readonly<Record<string, number>>;
}

/** Names of clusters whose endpoints the demo listens on. */
export interface DemoSettings {
  readonly echo: string | null;
  readonly chat: string | null;
  readonly feed: string | null;
  readonly game: string | null;
  readonly job: string | null;
}
