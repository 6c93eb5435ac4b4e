/** `sluice kick`: closes sessions of a running sluice. */
import { UsageError } from '../../../core/errors.ts';
import { AdminClient, withOptions } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';

/**
 * Closes the session with the given ID, or all sessions of `--principal`.
 *
 * @returns 0, or 1 if no session was closed
 * @throws UsageError unless exactly one of both is given, StartError if the session does not exist
 */
export async function run(options: CommandOptions): Promise<number> {
  const {
    flags,
    operands: [id = null],
  } = options;
  const principal = flags.get('principal');
  if ((id === null) === (principal === undefined) || id === '' || principal === '') {
    throw new UsageError('kick one of the two: the ID of a session, or --principal NAME');
  }
  const path = id === null ? '/sessions' : `/sessions/${encodeURIComponent(id)}`;
  const answer = await new AdminClient(options).delete(
    withOptions(path, flags, ['principal', 'code', 'reason']),
  );
  process.stdout.write(`${answer.message}\n`);
  const { closed = 0 } = answer as { readonly closed?: number };
  return closed > 0 ? 0 : 1;
}
