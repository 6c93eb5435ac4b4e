import type { Config } from '../../config/types/config.ts';
import { formatAddress } from '../../core/address.ts';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import type { HandOverAnswer } from '../../protocol/admin/answers.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { parseTicketKeys } from '../tickets/handover-keys.ts';
import { KeyReceiver } from '../tickets/key-channel.ts';
import { ticketSettingsOf, type HandoverKeys } from '../tickets/ticket-keys.ts';
import { askAdmin, commandAnswerOf, messageFrom, type AdminAnswer } from './admin-request.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** What helps against a refusal for the token, by status. The running process learns a token by a reload. */
const REMEDIES: ReadonlyMap<number, string> = new Map([
  [401, '. Both processes need the same token: reload the running one by SIGHUP, then take over again'],
  [403, '. First set admin.token and reload the running process by SIGHUP, then take over again'],
]);

/** Sends a request to the admin server of another process. */
type AskAdmin = typeof askAdmin;

interface TakeoverOptions {
  readonly ask?: AskAdmin;
  readonly openReceiver?: () => Promise<Pick<KeyReceiver, 'name' | 'receive' | 'close'> | null>;
}

/** A process that serves the admin address and agrees to hand over. */
export class Predecessor {
  /** Its session ticket keys. Without them, clients make full handshakes. */
  readonly ticketKeys: HandoverKeys;
  /** Its revocations when it was first asked. Not validated. */
  readonly revocations: unknown;
  readonly #admin: Config['admin'];
  readonly #log: Logger;
  readonly #ask: AskAdmin;

  constructor(
    admin: Config['admin'],
    log: Logger,
    ask: AskAdmin,
    { ticketKeys, revocations }: Pick<Predecessor, 'ticketKeys' | 'revocations'>,
  ) {
    this.ticketKeys = ticketKeys;
    this.revocations = revocations;
    this.#admin = admin;
    this.#log = log;
    this.#ask = ask;
  }

  /**
   * Makes the other process hand over: it leaves its admin address and listeners' addresses to this process,
   * and ends after its connections.
   *
   * @returns its latest revocations, not validated
   * @throws StartError if the other process refuses
   */
  async handOver(): Promise<unknown> {
    const answer = await request(this.#admin, `/handover?pid=${process.pid}`, this.#ask);
    if (answer === null) return null;
    const { pid, revocations } = (commandAnswerOf(answer) ?? {}) as Partial<HandOverAnswer>;
    const fields = { admin: formatAddress(this.#admin.address), pid, answer: messageFrom(answer) };
    this.#log.info(fields, 'taken over');
    return revocations;
  }
}

/**
 * Finds the process that serves the admin address, and receives its session ticket keys. Runs before this
 * process takes any connection.
 *
 * @returns null if nothing listens at the address
 * @throws StartError if that process refuses to hand over
 */
export async function findPredecessor(
  { admin, listeners }: Pick<Config, 'admin' | 'listeners'>,
  log: Logger,
  { ask = askAdmin, openReceiver = () => KeyReceiver.open() }: TakeoverOptions = {},
): Promise<Predecessor | null> {
  const rotates = listeners.some((listener) => ticketSettingsOf(listener)?.kind === 'rotate');
  const receiver = rotates ? await openReceiver() : null;
  try {
    const tickets = receiver === null ? '' : `&tickets=${receiver.name}`;
    const answer = await request(admin, `/handover?check${tickets}`, ask);
    if (answer === null) {
      log.info({ admin: formatAddress(admin.address) }, 'no process to take over from');
      return null;
    }
    const ticketKeys = rotates ? await inherit(receiver, answer, log) : new Map();
    const { revocations } = (commandAnswerOf(answer) ?? {}) as Partial<HandOverAnswer>;
    return new Predecessor(admin, log, ask, { ticketKeys, revocations });
  } finally {
    receiver?.close();
  }
}

/** Receives the session ticket keys. A failure does not stop the takeover. */
async function inherit(
  receiver: Pick<KeyReceiver, 'receive'> | null,
  answer: AdminAnswer,
  log: Logger,
): Promise<HandoverKeys> {
  try {
    if (receiver === null) throw new Error('the system has no abstract sockets');
    const { tickets } = (commandAnswerOf(answer) ?? {}) as Partial<HandOverAnswer>;
    if (tickets === undefined) throw new Error('the version of the other process sends no keys');
    if (tickets !== null) throw new Error(tickets);
    const inheritance = parseTicketKeys(await receiver.receive());
    log.info({ listeners: [...inheritance.keys()] }, 'ticket keys taken over');
    return inheritance;
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'ticket keys not taken over: clients make full handshakes');
    return new Map();
  }
}

/** Returns the other process's consent; null if nothing listens at the address. */
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
  const remedy = REMEDIES.get(status) ?? '';
  throw new StartError(
    `the process at ${where} does not hand over (${status}): ${messageFrom(answer)}${remedy}`,
  );
}
