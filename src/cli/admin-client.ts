import { loadConfig } from '../config/loader.ts';
import type { Config } from '../config/types/config.ts';
import { formatAddress } from '../core/address.ts';
import { StartError, codeOf, messageOf } from '../core/errors.ts';
import { askAdmin, commandAnswerOf, sentenceOf, type AdminAnswer } from '../primary/process/admin-request.ts';
import type { CommandAnswer } from '../protocol/admin-answers.ts';
import type { Status } from '../protocol/status.ts';
import { printable, printableOnceParsed, readPrintable } from '../telemetry/output/printable.ts';
import type { CommandOptions } from './arguments.ts';

const ANSWER_TIMEOUT_MS = 60_000;

/**
 * Asks the admin server at the address and with the token of a configuration. Answers hold text that clients and
 * endpoints choose, so this class makes every answer printable: the commands write answers, and strings out of JSON
 * answers, to a terminal.
 */
export class AdminClient {
  readonly #admin: Config['admin'];

  /** @throws ConfigError for a configuration that cannot be used */
  constructor({ configFile: file, overrides, env }: CommandOptions) {
    this.#admin = loadConfig({ file, overrides, env }).config.admin;
  }

  /** @throws StartError if nobody answers */
  async status(): Promise<Status> {
    return JSON.parse(await this.get('/status')) as Status;
  }

  /** @throws StartError for another status than 200, or if nobody answers */
  async get(path: string): Promise<string> {
    const answer = await this.#ask('GET', path);
    if (answer.status !== 200) throw new StartError(`${path} gives ${answer.status}: ${sentenceOf(answer)}`);
    return answer.body;
  }

  /**
   * Gives a command.
   *
   * @returns the JSON of its answer, whose status is below 300, or 409 if the process is in no state for the command
   * @throws StartError if the command is refused, or if nobody answers
   */
  post(path: string): Promise<CommandAnswer> {
    return this.#command('POST', path);
  }

  /** Gives a command that takes something away. See {@link post}. */
  delete(path: string): Promise<CommandAnswer> {
    return this.#command('DELETE', path);
  }

  async #command(method: 'POST' | 'DELETE', path: string): Promise<CommandAnswer> {
    const answer = await this.#ask(method, path);
    const json = answer.status < 300 || answer.status === 409 ? commandAnswerOf(answer) : null;
    if (json === null) throw new StartError(sentenceOf(answer));
    return json;
  }

  async #ask(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<AdminAnswer> {
    try {
      const answer = await askAdmin(this.#admin, method, path, ANSWER_TIMEOUT_MS);
      const escape = answer.mediaType === 'application/json' ? printableOnceParsed : printable;
      return { ...answer, body: escape(answer.body) };
    } catch (error) {
      const where = formatAddress(this.#admin.address);
      const reason =
        codeOf(error) === 'ECONNREFUSED' ? 'nothing listens there: is sluice running?' : messageOf(error);
      throw new StartError(`the admin address ${where} does not answer: ${reason}`, { cause: error });
    }
  }
}

/**
 * Adds the options of a command to a path, as parameters of the same names. They may have escapes as answers are printed.
 *
 * @param names options to add if they are given
 */
export function withOptions(path: string, flags: CommandOptions['flags'], names: readonly string[]): string {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = flags.get(name);
    if (value !== undefined) query.set(name, readPrintable(value));
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
