import type { DrainSettings } from '../../../config/types/config.ts';
import {
  DRAIN_PARAMETERS,
  PROCESS_ID,
  type DrainParameter,
} from '../../../protocol/admin/command-parameters.ts';
import type { DrainScope } from '../../../protocol/to-worker.ts';
import type { AdminCommand, CommandResult } from './admin-command.ts';
import type { Controls } from './controls.ts';
import { parameterOf } from './parameters.ts';

/** Returns the commands that change the whole process: reload, drain, restart of workers, handover. */
export function controlCommands(controls: Controls): readonly AdminCommand[] {
  const drains = (path: string, scopeOf: (name: string, address: string) => DrainScope): AdminCommand[] => [
    {
      path: `${path}/drain`,
      run: ([name = '', address = ''], query) => drain(controls, scopeOf(name, address), query),
    },
    {
      path: `${path}/undrain`,
      run: ([name = '', address = '']) => undrain(controls, scopeOf(name, address)),
    },
  ];
  return [
    { path: '/reload', run: () => reload(controls) },
    ...drains('', () => ({ kind: 'all' })),
    ...drains('/listeners/NAME', (name) => ({ kind: 'listener', name })),
    ...drains('/clusters/NAME', (name) => ({ kind: 'cluster', name })),
    ...drains('/clusters/NAME/endpoints/ADDRESS', (cluster, name) => ({ kind: 'endpoint', cluster, name })),
    { path: '/workers/restart', run: () => restart(controls, null) },
    { path: '/workers/NAME/restart', run: ([name = '']) => restart(controls, name) },
    { path: '/handover', run: (_args, query) => handOver(controls, query) },
  ];
}

async function reload(controls: Controls): Promise<CommandResult> {
  const result = await controls.reload('command');
  const { generation, problem } = result;
  return problem === null
    ? { status: 200, message: `reloaded: generation ${generation}`, fields: result }
    : { status: 409, message: `not reloaded: generation ${generation} stays`, fields: result };
}

/** Starts a drain. The query's `rate`, `deadline` and `jitter` override the configuration. */
function drain(controls: Controls, scope: DrainScope, query: URLSearchParams): CommandResult {
  if (!controls.has(scope)) return unknown(scope);
  const { drainSettings } = controls;
  const given = (key: DrainParameter): number | null => parameterOf(query, key, DRAIN_PARAMETERS[key]);
  const settings: DrainSettings = {
    rate: given('rate') ?? drainSettings.rate,
    deadlineMs: given('deadline') ?? drainSettings.deadlineMs,
    jitterMs: given('jitter') ?? drainSettings.jitterMs,
  };
  const progress = controls.drain(scope, settings);
  return { status: 202, message: `draining ${progress.total} connections`, fields: progress };
}

function undrain(controls: Controls, scope: DrainScope): CommandResult {
  if (!controls.has(scope)) return unknown(scope);
  if (controls.undrain(scope)) {
    return { status: 202, message: 'accepting new work again', fields: { scope } };
  }
  return { status: 409, message: `nothing to undo: ${described(scope)} is not drained` };
}

function restart(controls: Controls, worker: string | null): CommandResult {
  if (!controls.restart(worker)) return { status: 404, message: `there is no worker ${worker ?? ''}` };
  const message =
    worker === null ? 'replacing all workers, one after the other' : `replacing worker ${worker}`;
  return { status: 202, message };
}

/**
 * Hands over to another process. With `check`, only reports whether this process would hand over. With
 * `tickets` too, sends the session ticket keys.
 */
async function handOver(controls: Controls, query: URLSearchParams): Promise<CommandResult> {
  const fields = { pid: process.pid };
  if (query.has('check')) {
    const channel = query.get('tickets');
    const keys = channel === null ? {} : { tickets: await controls.sendTicketKeys(channel) };
    const { revocations } = controls;
    const message = 'the process would hand over';
    return { status: 200, message, fields: { ...fields, ...keys, revocations } };
  }
  const pid = parameterOf(query, 'pid', PROCESS_ID);
  await controls.releaseRevocations();
  controls.handOver(pid);
  const { revocations } = controls;
  return { status: 202, message: 'the process hands over and ends', fields: { ...fields, revocations } };
}

function unknown(scope: DrainScope): CommandResult {
  return { status: 404, message: `there is no ${described(scope)}` };
}

function described(scope: DrainScope): string {
  switch (scope.kind) {
    case 'all':
      return 'the process';
    case 'listener':
    case 'cluster':
      return `${scope.kind} ${scope.name}`;
    case 'endpoint':
      return `endpoint ${scope.name} in cluster ${scope.cluster}`;
  }
}
