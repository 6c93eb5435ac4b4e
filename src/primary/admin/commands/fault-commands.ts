import { formatDuration } from '../../../core/units/duration.ts';
import { FREEZE_TIME } from '../../../protocol/admin/command-parameters.ts';
import type { InjectedFault } from '../../workers/supervisor.ts';
import type { AdminCommand, CommandResult } from './admin-command.ts';
import { parameterOf } from './parameters.ts';

const DEFAULT_FREEZE_MS = 30_000;

/**
 * Returns the commands that break a worker, for tests of supervision. They need no token.
 *
 * @param harm makes a worker throw or freeze. Returns false if no worker has that name
 */
export function faultCommands(
  harm: (worker: string, harm: InjectedFault) => boolean,
): readonly AdminCommand[] {
  const run = (worker: string, kind: InjectedFault, message: string): CommandResult =>
    harm(worker, kind) ? { status: 202, message } : { status: 404, message: `there is no worker ${worker}` };
  return [
    {
      path: '/debug/workers/NAME/fault',
      withoutToken: true,
      run: ([worker = '']) => run(worker, { type: 'fault' }, `the worker ${worker} throws an exception`),
    },
    {
      path: '/debug/workers/NAME/freeze',
      withoutToken: true,
      run: ([worker = ''], query) => {
        const forMs = parameterOf(query, 'for', FREEZE_TIME) ?? DEFAULT_FREEZE_MS;
        const message = `the worker ${worker} freezes for ${formatDuration(forMs)}`;
        return run(worker, { type: 'freeze', forMs }, message);
      },
    },
  ];
}
