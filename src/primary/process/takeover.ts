import { formatAddress } from '../../core/address.ts';
import type { Config } from '../../config/types/config.ts';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { askAdmin } from './admin-request.ts';

const ANSWER_MS = 5000;

/**
 * Finds out whether the process that serves an admin address would hand over to this one, before this one takes
 * connections that it would have to cut if not.
 *
 * @returns whether there is one
 * @throws StartError where it refuses
 */
export async function findPredecessor(admin: Config['admin'], log: Logger): Promise<boolean> {
  if ((await ask(admin, '/handover?check')) !== null) return true;
  log.info({ admin: formatAddress(admin.address) }, 'there is nobody to take over from');
  return false;
}

/**
 * Asks the process that serves an admin address to leave it and the listeners' addresses to this one, and to end
 * when nothing is left of it.
 *
 * @throws StartError where it refuses
 */
export async function askToHandOver(admin: Config['admin'], log: Logger): Promise<void> {
  const answer = await ask(admin, '/handover');
  if (answer !== null) log.info({ admin: formatAddress(admin.address), answer: answer.trim() }, 'taken over');
}

/** Null where nobody listens. */
async function ask(admin: Config['admin'], path: string): Promise<string | null> {
  const where = formatAddress(admin.address);
  let answer;
  try {
    answer = await askAdmin(admin, 'POST', path, ANSWER_MS);
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return null;
    throw new StartError(`the process at ${where} does not answer: ${messageOf(error)}`, { cause: error });
  }
  const { status, body } = answer;
  if (status === 200 || status === 202) return body;
  const [line = ''] = body.split('\n');
  throw new StartError(`the process at ${where} does not hand over (${status}): ${line}`);
}
