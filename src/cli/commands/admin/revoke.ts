/** `sluice revoke`: blocks a principal on a running sluice. */
import { UsageError } from '../../../core/errors.ts';
import { readPrintable } from '../../../telemetry/output/printable.ts';
import { AdminClient } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';

/**
 * Revokes a principal, or admits it again with `--undo`.
 *
 * @returns 0
 * @throws UsageError if the name is missing, StartError if the running sluice refuses or has nothing to undo
 */
export async function run(options: CommandOptions): Promise<number> {
  const {
    flags,
    operands: [name = null],
  } = options;
  if (name === null || name === '')
    throw new UsageError('revoke needs the name of a principal, such as jwt:alice or alice');
  const client = new AdminClient(options);
  const path = `/principals/${encodeURIComponent(readPrintable(name).toWellFormed())}/revoke`;
  const { message } = await (flags.has('undo') ? client.delete(path) : client.post(path));
  process.stdout.write(`${message}\n`);
  return 0;
}
