/** Reads the cluster keys that detect failing endpoints and decide their treatment. */
import { MAX_DURATION_MS } from '../../../core/units/duration.ts';
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, duration, integer, line, oneOf } from '../../syntax/formats.ts';
import { readValue } from '../../syntax/section.ts';
import type { Section } from '../../syntax/section.ts';
import type { Cluster, HealthCheck, OutlierFailure, OutlierSettings } from '../../types/cluster.ts';
import { urlPath } from '../route/route-match.ts';

export const HEALTH_KEYS = ['healthCheck', 'onDown', 'outlier', 'panicThreshold', 'slowStart'];

export const HEALTH_CHECK = {
  what: '"healthCheck"',
  instead: (value: unknown): string | null =>
    typeof value === 'string' && value.startsWith('/') ? `write { type: http, path: ${value} }` : null,
  keys: ['type', 'path', 'host', 'status', 'interval', 'timeout', 'rise', 'fall'],
};
export const OUTLIER = {
  what: '"outlier"',
  keys: [
    'failures',
    'consecutiveFailures',
    'window',
    'minClients',
    'ejection',
    'maxEjection',
    'maxEjectedPercent',
  ],
};
const FAILURES = ['connect', 'reset', 'handshake', '5xx'] as const;
const WINDOW_MS = { min: 1000, max: 600_000 };
const CLIENTS = { min: 2, max: 100 };
const PROBE_COUNT = { min: 1, max: 1000 };
const PERCENT = { min: 0, max: 100 };
const PERIOD_MS = { min: 10, max: 86_400_000 };

type Health = Pick<Cluster, 'healthCheck' | 'onDown' | 'outlier' | 'panicThreshold' | 'slowStartMs'>;

/** Reads the {@link HEALTH_KEYS} of a cluster. */
export function readHealth(cluster: Section): Health {
  const healthCheck = readHealthCheck(cluster);
  const onDown = cluster.optional('onDown', oneOf('keep', 'close'), 'keep');
  if (onDown === 'close' && healthCheck === null && !cluster.has('healthCheck')) {
    cluster.problemAt(
      'onDown',
      'without a healthCheck, no endpoint is marked down: add one, or leave onDown out',
    );
  }
  return {
    healthCheck,
    onDown,
    outlier: readOutlier(cluster),
    panicThreshold: cluster.optional('panicThreshold', integer(PERCENT), 50),
    slowStartMs: cluster.optional('slowStart', duration({ min: 0, max: MAX_DURATION_MS }), 0),
  };
}

function readHealthCheck(cluster: Section): HealthCheck | null {
  const section = cluster.section('healthCheck', HEALTH_CHECK);
  if (section === null) return null;
  const type = section.required('type', oneOf('tcp', 'http', 'websocket'), 'tcp');
  for (const key of ['path', 'host', 'status']) {
    if (section.has(key) && (type === 'tcp' || (key === 'status' && type !== 'http'))) {
      section.problemAt(key, `a probe of type ${type} has no ${key}: leave it out`);
    }
  }
  const intervalMs = section.optional('interval', duration(PERIOD_MS), 5000);
  const timeoutMs = section.optional('timeout', duration(PERIOD_MS), 2000);
  return {
    type,
    path: section.optional('path', urlPath, '/'),
    host: section.optional('host', line('a Host header'), null),
    status: section.optional('status', statusRange, { min: 200, max: 399 }),
    intervalMs,
    timeoutMs,
    rise: section.optional('rise', integer(PROBE_COUNT), 2),
    fall: section.optional('fall', integer(PROBE_COUNT), 3),
  };
}

const readStatusRange: Format<HealthCheck['status']> = (value) => {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(
    typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '',
  );
  const min = Number(match?.[1]);
  const max = Number(match?.[2] ?? match?.[1]);
  if (match !== null && min <= max) return { min, max };
  throw new FormatError(
    `${describe(value)} is neither a status nor a range of statuses: write 200 or "200-399"`,
  );
};

/** A status or a range of statuses, such as `204` or `200-399`. */
const statusRange = described(
  {
    type: 'either',
    of: [
      { type: 'integer', min: 100, max: 599 },
      {
        type: 'text',
        what: 'a status or a range of statuses',
        remedy: 'write 200 or 200-399',
        pattern: String.raw`^[1-5]\d\d(?:-[1-5]\d\d)?$`,
      },
    ],
  },
  readStatusRange,
);

/** Reads `outlier`. Outlier detection is on by default. `outlier: off` disables it. */
function readOutlier(cluster: Section): OutlierSettings | null {
  if (cluster.isOff('outlier')) return null;
  const section = cluster.settings('outlier', OUTLIER);
  const failures = readFailures(section);
  for (const key of ['window', 'minClients']) {
    if (section.has(key) && failures.every((failure) => failure === 'connect')) {
      section.problemAt(
        key,
        `it applies only to the failures reset, handshake and 5xx: add one, or leave ${key} out`,
      );
    }
  }
  const ejectionMs = section.optional('ejection', duration({ min: 10, max: MAX_DURATION_MS }), 30_000);
  const maxEjectionMs = section.optional('maxEjection', duration({ min: 10, max: MAX_DURATION_MS }), 300_000);
  return {
    failures,
    windowMs: section.optional('window', duration(WINDOW_MS), 10_000),
    minClients: section.optional('minClients', integer(CLIENTS), 5),
    consecutiveFailures: section.optional('consecutiveFailures', integer(PROBE_COUNT), 5),
    ejectionMs,
    maxEjectionMs: Math.max(ejectionMs, maxEjectionMs),
    maxEjectedPercent: section.optional('maxEjectedPercent', integer(PERCENT), 50),
  };
}

function readFailures(outlier: Section): OutlierFailure[] {
  if (!outlier.has('failures')) return ['connect'];
  const failures = new Set<OutlierFailure>();
  for (const { value, path } of outlier.oneOrMore('failures', FAILURES.join(', '))) {
    const failure = readValue(value, path, outlier.problems, oneOf(...FAILURES), null);
    if (failure !== null) failures.add(failure);
  }
  return [...failures];
}
