/** Settings of the root: their paths, formats and defaults. */
import { automaticThreads, availableMemory } from '../../core/machine/resources.ts';
import { MAX_DURATION_MS } from '../../core/units/duration.ts';
import { DESCRIBE, Description, described, type FormatDescription } from '../syntax/format-description.ts';
import type { Format } from '../syntax/formats.ts';
import { refuseHidden } from '../syntax/outside/hidden.ts';
import { redisPrefix, redisUrl } from './limits/redis.ts';
import { accessSwitch, keptFiles, rotationSize } from './log-formats.ts';
import { collectorHeaders, collectorUrl, ratio, routeRatios } from './tracing/formats.ts';
import {
  FormatError,
  byteSize,
  describe,
  duration,
  integer,
  isOff,
  listenAddress,
  nullable,
  oneOf,
  rate,
  text,
  toggle,
} from '../syntax/formats.ts';

export interface Setting<T> {
  readonly doc: string;
  readonly format: Format<T>;
  /** The default, as written in the file. */
  readonly default: unknown;
  /** Replaces an invalid value in a configuration that is refused. */
  readonly placeholder: T;
}

const BEARER_TOKEN = /^[\w.~+/-]{16,512}={0,2}$/;

const AUTO: FormatDescription = { type: 'word', words: ['auto'] };
const THREADS = { min: 1, max: 256 };
const BUDGET_BYTES = { min: 2 ** 20, max: 2 ** 50 };

const readWorkerCount: Format<number> = (value) => {
  if (value === 'auto') return automaticThreads();
  try {
    return integer(THREADS)(value);
  } catch {
    throw new FormatError(`${describe(value)} is not a number of threads: write auto, or 1 to 256`);
  }
};

/** A number of threads. `auto` depends on the cores and the memory available to the process. */
export const workerCount = described(
  { type: 'either', of: [AUTO, { type: 'integer', ...THREADS }] },
  readWorkerCount,
);

const readBufferBudget: Format<number> = (value) => {
  if (value !== 'auto') return byteSize(BUDGET_BYTES)(value);
  return Math.floor(availableMemory() / 4);
};

/** A size in bytes. `auto` is a quarter of the memory available to the process. */
const bufferBudget = described(
  { type: 'either', of: [AUTO, { type: 'size', ...BUDGET_BYTES }] },
  readBufferBudget,
);

const principalWord = oneOf('plain', 'hashed', 'off');
/** Form of principals in logs. YAML 1.1 reads the word `off` as false. */
const principalForm: Format<'plain' | 'hashed' | 'off'> = described(
  { type: 'either', of: [{ type: 'word', words: ['plain', 'hashed', 'off'] }, { type: 'off' }] },
  (value) => (isOff(value) ? 'off' : principalWord(value)),
);

const tapWord = oneOf('off', 'headers', 'payload');
/** Contents that taps may show. YAML 1.1 reads the word `off` as false. */
const tapLevel: Format<'off' | 'headers' | 'payload'> = described(
  { type: 'either', of: [{ type: 'word', words: ['off', 'headers', 'payload'] }, { type: 'off' }] },
  (value) => (isOff(value) ? 'off' : tapWord(value)),
);

const readAdminToken: Format<string> = (value) => {
  refuseHidden(value);
  if (typeof value === 'string' && BEARER_TOKEN.test(value)) return value;
  throw new FormatError(
    'the value is not a token: write 16 to 512 letters, digits and "-", ".", "_", "~", "+", "/", in quotes',
  );
};

/** A bearer token (RFC 6750 section 2.1). Messages omit the value, which is secret. */
const adminToken = described(
  {
    type: 'text',
    what: 'a token',
    remedy: 'write 16 to 512 letters, digits and "-", ".", "_", "~", "+", "/"',
    pattern: BEARER_TOKEN.source,
  },
  readAdminToken,
);

export const SETTINGS = {
  'workers.l7': setting('Threads for the listeners of mode l7', workerCount, 'auto'),
  'workers.l4': setting('Threads for the listeners of mode l4', workerCount, 'auto'),
  'workers.bufferBudget': setting('Max bytes waiting in all sessions together', bufferBudget, 'auto'),
  'workers.stuckAfter': setting(
    'Max silence of a worker before it is abandoned and replaced',
    duration({ min: 1000, max: 600_000, zero: 'never' }),
    '10s',
  ),
  'workers.warmUp': setting(
    'Max time that a new worker warms up with its own handshakes before it serves clients',
    duration({ min: 0, max: 10_000 }),
    '300ms',
  ),
  'admin.address': setting('Address of metrics, health and status', listenAddress, '127.0.0.1:9480'),
  'admin.hosts': setting(
    'Host names that requests to the admin address may use',
    oneOrListOf('host names'),
    [],
  ),
  'admin.token': setting('Bearer token that allows changes at the admin address', nullable(adminToken), null),
  'admin.tap': setting('Contents that taps may show: off, headers, or payload', tapLevel, 'off'),
  'admin.tapRedact': setting(
    'JSON paths and expressions that taps redact in payloads',
    oneOrListOf('rules'),
    [],
  ),
  'metrics.endpoints': setting('Whether /metrics has a series for each endpoint', toggle, true),
  'log.level': setting(
    'Min severity of log lines',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info',
  ),
  'log.format': setting(
    'Format of log lines: auto, json, or pretty for people',
    oneOf('auto', 'json', 'pretty'),
    'auto',
  ),
  'log.access': setting('Whether and how requests, sessions and tunnels are logged', accessSwitch, true),
  'log.principal': setting(
    'Form of principals in access lines: plain, hashed, or off',
    principalForm,
    'plain',
  ),
  'log.file': setting('Log file instead of standard output', nullable(text('a file')), null),
  'log.maxSize': setting('Size at which the log file is rotated', nullable(rotationSize), null),
  'log.keep': setting('Number of rotated log files to keep', nullable(keptFiles), null),
  'tracing.url': setting('URL of the span collector', nullable(collectorUrl), null),
  'tracing.sample': setting('Fraction of requests to trace', nullable(ratio), null),
  'tracing.headers': setting('Headers for the collector', nullable(collectorHeaders), null),
  'tracing.routes': setting('Fractions of requests to trace, by route', nullable(routeRatios), null),
  'shutdown.grace': setting(
    'Time that sessions and tunnels may continue after SIGTERM',
    duration({ min: 0, max: MAX_DURATION_MS }),
    '30s',
  ),
  'shutdown.readyDelay': setting(
    'Time that /readyz answers 503 before a shutdown or a full drain starts',
    duration({ min: 0, max: 600_000 }),
    '0s',
  ),
  'drain.rate': setting(
    'Rate at which a drain ends sessions and tunnels',
    rate({ min: 0.1, max: 1_000_000 }),
    '100/s',
  ),
  'drain.deadline': setting(
    'Max time of a drain before it ends all remaining connections',
    duration({ min: 1000, max: MAX_DURATION_MS }),
    '5m',
  ),
  'drain.jitter': setting('Max random delay of each end', duration({ min: 0, max: 600_000 }), '0s'),
  'redis.url': setting('Redis server through which machines share limits', nullable(redisUrl), null),
  'redis.onFailure': setting(
    'Shared limits without Redis: count in this process, or refuse',
    nullable(oneOf('local', 'refuse')),
    null,
  ),
  'redis.prefix': setting('Prefix of all keys in Redis', nullable(redisPrefix), null),
  'revocations.keep': setting(
    'Min time to keep a revocation',
    duration({ min: 60_000, max: MAX_DURATION_MS }),
    '24h',
  ),
  'revocations.file': setting('File that keeps revocations across restarts', nullable(text('a file')), null),
  'demo.echo': setting('Cluster served by the demo echo servers', nullable(text('a cluster')), null),
  'demo.chat': setting('Cluster served by the demo chat room', nullable(text('a cluster')), null),
  'demo.feed': setting('Cluster served by the demo price feed', nullable(text('a cluster')), null),
  'demo.game': setting('Cluster served by the demo game', nullable(text('a cluster')), null),
  'demo.job': setting('Cluster served by the demo job board', nullable(text('a cluster')), null),
  listeners: listSetting('Addresses that clients connect to', 'listeners'),
  clusters: listSetting('Groups of endpoints that receive connections', 'clusters'),
} as const;

export type SettingPath = keyof typeof SETTINGS;
export type SettingValue<P extends SettingPath> = ReturnType<(typeof SETTINGS)[P]['format']>;

function setting<T>(doc: string, format: Format<T>, fallback: unknown): Setting<T> {
  return { doc, format, default: fallback, placeholder: format(fallback) };
}

/** Returns the setting of a list. Its value is null if the list is missing. */
function listSetting(doc: string, what: string): Setting<readonly unknown[] | null> {
  return { doc, format: nullable(listOf(what, 1)), default: null, placeholder: [] };
}

/** Returns the format of a list, which may be empty. A text stands for a list of it. */
function oneOrListOf(what: string): Format<readonly unknown[]> {
  const list = listOf(what, 0);
  return (value) => (typeof value === 'string' ? [value] : list(value));
}

function listOf(what: string, min: 0 | 1): Format<readonly unknown[]> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'list', of: what, min });
    if (!Array.isArray(value)) {
      throw new FormatError(`${describe(value)} is not a list: write a list of ${what}`);
    }
    if (value.length < min) throw new FormatError(`the list is empty: write at least one of ${what}`);
    return value as readonly unknown[];
  };
}
