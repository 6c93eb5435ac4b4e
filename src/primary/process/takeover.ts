import type { Config } from '../../config/types/config.ts';
import { formatAddress } from '../../core/address.ts';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { HandOverAnswer } from '../../protocol/admin-answers.ts';
import { askAdmin, commandAnswerOf, sentenceOf, type AdminAnswer } from './admin-request.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** Sends a request to the admin server of another process. */
type AskAdmin = typeof askAdmin;

/** A process that serves an admin address, and would hand over. */
export class Predecessor {
  readonly #admin: Config['admin'];
  readonly #log: Logger;
  readonly #ask: AskAdmin;

  constructor(admin: Config['admin'], log: Logger, ask: AskAdmin) {
    this.#admin = admin;
    this.#log = log;
    this.#ask = ask;
  }

  /**
   * Makes the other process leave its admin address and the listeners' addresses to this process, and end when its
   * connections have ended.
   *
   * @throws StartError if the other process refuses
   */
  async handOver(): Promise<void> {
    const answer = await request(this.#admin, '/handover', this.#ask);
    if (answer === null) return;
    const pid = (commandAnswerOf(answer) as Partial<HandOverAnswer> | null)?.pid;
    const fields = { admin: formatAddress(this.#admin.address), pid, answer: sentenceOf(answer) };
    this.#log.info(fields, 'taken over');
  }
}

/**
 * Finds the process that serves an admin address, before this process takes any connection.
 *
 * @returns null if nobody listens at the address
 * @throws StartError if that process would not hand over
 */
export async function findPredecessor(
  admin: Config['admin'],
  log: Logger,
  ask: AskAdmin = askAdmin,
): Promise<Predecessor | null> {
  if ((await request(admin, '/handover?check', ask)) !== null) return new Predecessor(admin, log, ask);
  log.info({ admin: formatAddress(admin.address) }, 'there is nobody to take over from');
  return null;
}

/** Returns the other process's consent; null if nobody listens. */
async function request(admin: Config['admin'], path: string, ask: AskAdmin): Promise<AdminAnswer | null> {
  const where = formatAddress(admin.address);
  let answer;
  try {
    answer = await ask(admin, 'POST', path, ANSWER_TIMEOUT_MS);
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return null;
    throw new StartError(`the process at ${where} does not answer: ${messageOf(error)}`, { cause: error });
  }
  const { status } = answer;
  if (status === 200 || status === 202) return answer;
  throw new StartError(`the process at ${where} does not hand over (${status}): ${sentenceOf(answer)}`);
}
