import { MAX_DURATION_MS, formatDuration, parseDuration } from '../../core/units/duration.ts';
import type { DrainSettings } from '../../config/types/config.ts';
import type { DrainScope } from '../../protocol/to-worker.ts';
import type { AdminCommand } from './admin-command.ts';
import type { DrainStatus } from '../../protocol/status.ts';
import type { ReloadResult } from '../control/reloader.ts';

/** What the commands of the admin address work on. */
export interface Commanded {
  reload(cause: string): Promise<ReloadResult>;
  /** The settings of `drain` in the configuration in use. */
  readonly drainSettings: DrainSettings;
  /** Whether the configuration in use has it. */
  has(scope: DrainScope): boolean;
  /** Ends what a scope has at a pace; a rate of 0 leaves that alone. */
  drain(scope: DrainScope, settings: DrainSettings): DrainStatus;
  undrain(scope: DrainScope): boolean;
  /** Hands the addresses over to another process, and ends when nothing is left. */
  handOver(): void;
  /** Puts a new worker in the place of each, one after the other; false where there is none of the name. */
  restart(worker: string | null): boolean;
}

type Result = ReturnType<AdminCommand['run']>;

/** What may be done by POST, but for the rebalancing of clusters. */
export function controlCommands(on: Commanded): readonly AdminCommand[] {
  const scoped = (path: string, scopeOf: (name: string, address: string) => DrainScope): AdminCommand[] => [
    {
      path: `${path}/drain`,
      run: ([name = '', address = ''], query) => drain(on, scopeOf(name, address), query),
    },
    { path: `${path}/undrain`, run: ([name = '', address = '']) => undrain(on, scopeOf(name, address)) },
  ];
  return [
    { path: '/reload', run: () => reload(on) },
    ...scoped('', () => ({ kind: 'all' })),
    ...scoped('/listeners/NAME', (name) => ({ kind: 'listener', name })),
    ...scoped('/clusters/NAME', (name) => ({ kind: 'cluster', name })),
    ...scoped('/clusters/NAME/endpoints/ADDRESS', (cluster, name) => ({ kind: 'endpoint', cluster, name })),
    { path: '/workers/restart', run: () => restart(on, null) },
    { path: '/workers/NAME/restart', run: ([name = '']) => restart(on, name) },
    {
      path: '/handover',
      // With `check` it only says that it would.
      run: (_args, query) => {
        if (query.has('check')) return { status: 200, body: { pid: process.pid } };
        on.handOver();
        return { status: 202, body: { pid: process.pid } };
      },
    },
  ];
}

async function reload(on: Commanded): Promise<Awaited<Result>> {
  const result = await on.reload('command');
  return { status: result.problem === null ? 200 : 409, body: result };
}

/** `rate` (a number a second, 0 to end nothing), `deadline` and `jitter` (durations) stand over the settings. */
function drain(on: Commanded, scope: DrainScope, query: URLSearchParams): Result {
  if (!on.has(scope)) return unknown(scope);
  let settings = on.drainSettings;
  const rate = query.get('rate');
  if (rate !== null) {
    const perSecond = /^\d+(?:\.\d+)?(?:\/s)?$/.test(rate) ? parseFloat(rate) : -1;
    if (!(perSecond >= 0 && perSecond <= 1_000_000)) {
      const body = 'rate: write a number of connections a second, such as 100/s, or 0 to end nothing';
      return { status: 400, body };
    }
    settings = { ...settings, rate: perSecond };
  }
  for (const [key, setting] of [
    ['deadline', 'deadlineMs'],
    ['jitter', 'jitterMs'],
  ] as const) {
    const text = query.get(key);
    if (text === null) continue;
    const ms = parseDuration(text);
    if (ms === undefined || ms > MAX_DURATION_MS) {
      const most = formatDuration(MAX_DURATION_MS);
      return { status: 400, body: `${key}: write a number and a unit, such as 5m, up to ${most}` };
    }
    settings = { ...settings, [setting]: ms };
  }
  return { status: 202, body: on.drain(scope, settings) };
}

function undrain(on: Commanded, scope: DrainScope): Result {
  if (!on.has(scope)) return unknown(scope);
  if (on.undrain(scope)) return { status: 202, body: { scope } };
  return { status: 409, body: 'it is not drained' };
}

function restart(on: Commanded, worker: string | null): Result {
  return on.restart(worker)
    ? { status: 202, body: 'told' }
    : { status: 404, body: `no worker ${worker ?? ''}` };
}

function unknown(scope: DrainScope): Awaited<Result> {
  const { name = 'nothing', kind } = { name: undefined, ...scope };
  return { status: 404, body: `there is no ${kind} ${name}` };
}
