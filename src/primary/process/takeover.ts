import { formatAddress } from '../../core/address.ts';
import type { Config } from '../../config/types/config.ts';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { askAdmin, sentenceOf } from './admin-request.ts';

const ANSWER_TIMEOUT_MS = 5000;

/**
 * Finds out whether the process that serves an admin address would hand over, before this process takes any connection.
 *
 * @returns false if nobody listens at the address
 * @throws StartError if that process refuses
 */
export async function findPredecessor(admin: Config['admin'], log: Logger): Promise<boolean> {
  if ((await ask(admin, '/handover?check')) !== null) return true;
  log.info({ admin: formatAddress(admin.address) }, 'there is nobody to take over from');
  return false;
}

/**
 * Makes the process that serves an admin address leave it and the listeners' addresses to this process, and end when
 * its connections have ended.
 *
 * @throws StartError if that process refuses
 */
export async function askToHandOver(admin: Config['admin'], log: Logger): Promise<void> {
  const answer = await ask(admin, '/handover');
  if (answer !== null) log.info({ admin: formatAddress(admin.address), answer }, 'taken over');
}

/** Returns the sentence of the other process; null if nobody listens. */
async function ask(admin: Config['admin'], path: string): Promise<string | null> {
  const where = formatAddress(admin.address);
  let answer;
  try {
    answer = await askAdmin(admin, 'POST', path, ANSWER_TIMEOUT_MS);
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return null;
    throw new StartError(`the process at ${where} does not answer: ${messageOf(error)}`, { cause: error });
  }
  const { status } = answer;
  const sentence = sentenceOf(answer);
  if (status === 200 || status === 202) return sentence;
  throw new StartError(`the process at ${where} does not hand over (${status}): ${sentence}`);
}
