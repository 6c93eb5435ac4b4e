/** `sluice status`: shows the state of a running sluice. */
import { formatDuration } from '../../../core/units/duration.ts';
import type { Status } from '../../../protocol/admin/status.ts';
import { AdminClient } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';
import { table } from '../../table.ts';

/**
 * Prints tables, or JSON with `--json`.
 *
 * @returns 0
 * @throws StartError if the admin server does not answer
 */
export async function run(options: CommandOptions): Promise<number> {
  const client = new AdminClient(options);
  process.stdout.write(
    options.flags.has('json') ? await client.get('/status') : describeStatus(await client.status()),
  );
  return 0;
}

const LOG_NAMES = { log: 'log', access: 'access log' } as const;

/** Formats the status as tables for a person. */
export function describeStatus(status: Status): string {
  const { version, pid, uptimeSeconds, generation, connections, drains } = status;
  // As in `/readyz` and `sluice top`.
  const isDrained = status.state === 'ready' && drains.some(({ scope }) => scope.kind === 'all');
  const state = isDrained ? 'not ready (draining)' : status.state;
  const uptime = formatDuration(uptimeSeconds * 1000);
  const title = `sluice ${version}, process ${pid}, up ${uptime}: ${state}, generation ${generation}, ${connections} sessions and tunnels\n`;
  const notes = [
    ...status.needsRestart.map((setting) => `${setting} has changed: restart to bring it into force\n`),
    ...status.logs.flatMap(({ log, file, problem }) =>
      problem === null
        ? []
        : [`the ${LOG_NAMES[log]} cannot be written to ${file ?? 'standard output'}: ${problem}\n`],
    ),
    ...(status.taps > 0 ? [`taps that run: ${status.taps}\n`] : []),
    ...status.drains.map(
      ({ scope, total, remaining }) =>
        `draining ${Object.values(scope).join(' ')}: ${remaining} of ${total} left\n`,
    ),
  ].join('');
  return [
    `${title}${notes}`,
    workerTable(status),
    table(
      ['LISTENER', 'STATE', 'MODE', 'ADDRESS', 'ENGINE', 'CONNS'],
      status.listeners.map(({ name, mode, tls, address, engine, engineReason, activeConnections }) => [
        name,
        drains.some(({ scope }) => scope.kind === 'listener' && scope.name === name) ? 'drained' : 'up',
        tls ? `${mode} tls` : mode,
        address,
        `${engine} (${engineReason})`,
        activeConnections,
      ]),
    ),
    endpointTable(status),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Formats one line per worker. */
export function workerTable({ workers }: Status): string {
  return table(
    ['WORKER', 'STATE', 'GENERATION', 'CONNS', 'OLDER', 'BUSY', 'RESTARTS'],
    workers.map((worker) => [
      worker.name,
      worker.state,
      worker.generation,
      worker.connections,
      worker.olderConnections,
      `${Math.round(worker.eventLoopUtilization * 100)}%`,
      worker.restarts,
    ]),
  );
}

/** Formats one line per endpoint. A drained cluster has only drained endpoints. */
export function endpointTable({ clusters, drains }: Status): string {
  return table(
    ['CLUSTER', 'ENDPOINT', 'STATE', 'CONNS', 'FAILURES'],
    clusters.flatMap(({ name, endpoints }) => {
      const isDrained = drains.some(({ scope }) => scope.kind === 'cluster' && scope.name === name);
      return endpoints.map(({ address, state, activeConnections, connectFailures }) => [
        name,
        address,
        isDrained ? 'drained' : state,
        activeConnections,
        connectFailures,
      ]);
    }),
  );
}
