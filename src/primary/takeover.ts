import { formatAddress } from '../core/address.ts';
import type { Config } from '../config/types.ts';
import { StartError, codeOf, messageOf } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';

const ANSWER_MS = 5000;

/**
 * Asks the process that serves an admin address to leave it and the listeners' addresses to this one, and to end
 * when nothing is left of it.
 *
 * @returns whether there was one
 * @throws StartError where it refuses
 */
export async function askToHandOver({ address, token }: Config['admin'], log: Logger): Promise<boolean> {
  const where = formatAddress(address);
  let response: Response;
  try {
    response = await fetch(`http://${where}/handover`, {
      method: 'POST',
      headers: { ...(token !== null && { Authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (codeOf(cause) === 'ECONNREFUSED') {
      log.info({ admin: where }, 'there is nobody to take over from');
      return false;
    }
    throw new StartError(`the process at ${where} does not answer: ${messageOf(cause ?? error)}`, {
      cause: error,
    });
  }
  const text = await response.text();
  if (response.status !== 202) {
    const [line = ''] = text.split('\n');
    throw new StartError(`the process at ${where} does not hand over (${response.status}): ${line}`);
  }
  log.info({ admin: where, answer: text.trim() }, 'taken over');
  return true;
}
