import type { IncomingMessage } from 'node:http';
import { loadConfig } from '../config/loader.ts';
import type { Config } from '../config/types/config.ts';
import { formatAddress } from '../core/address.ts';
import { StartError, codeOf, messageOf } from '../core/errors.ts';
import {
  askAdmin,
  commandAnswerOf,
  mediaTypeOf,
  openAdmin,
  messageFrom,
  type AdminAnswer,
} from '../primary/process/admin-request.ts';
import type { CommandAnswer } from '../protocol/admin/answers.ts';
import type { Status } from '../protocol/admin/status.ts';
import { printable, printableOnceParsed, readPrintable } from '../telemetry/output/printable.ts';
import type { CommandOptions } from './arguments.ts';

const ANSWER_TIMEOUT_MS = 60_000;
/** Max time without a frame of `/live`, of which each second has one. */
const SILENCE_MS = 5000;
/** Max time without a line of a tap, which has an empty one at least every 5 s. */
const TAP_SILENCE_MS = 15_000;

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

  /** Whether `admin.token` is set, which some paths and every command need. */
  get hasToken(): boolean {
    return this.#admin.token !== null;
  }

  /** @throws StartError if nobody answers */
  async status(): Promise<Status> {
    return JSON.parse(await this.get('/status')) as Status;
  }

  /**
   * @param signal gives the request up
   * @throws StartError for another status than 200, or if nobody answers
   */
  async get(path: string, signal?: AbortSignal): Promise<string> {
    const answer = await this.#ask('GET', path, signal);
    if (answer.status !== 200) throw new StartError(`${path} gives ${answer.status}: ${messageFrom(answer)}`);
    return answer.body;
  }

  /**
   * Opens the stream of live frames. Its bytes are not printable: see {@link printableOnceParsed}.
   *
   * @throws StartError if there is no such stream, or if nobody answers
   */
  async live(signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#explained(openAdmin(this.#admin, 'GET', '/live', SILENCE_MS, signal));
    if ('body' in answer) {
      throw new StartError(
        answer.status === 404
          ? 'the running sluice has no live frames: it is older than this command'
          : `/live gives ${answer.status}: ${printable(messageFrom(answer))}`,
      );
    }
    if (mediaTypeOf(answer) === 'text/event-stream') return answer;
    answer.destroy();
    throw new StartError('/live gives no event stream: something else than sluice answers');
  }

  /**
   * Starts a tap, which lasts as long as the stream. Its bytes are not printable.
   *
   * @param path `/tap` and its parameters
   * @throws StartError if the tap is refused, or if nobody answers
   */
  async tap(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#explained(openAdmin(this.#admin, 'POST', path, TAP_SILENCE_MS, signal));
    if ('body' in answer) {
      throw new StartError(
        answer.status === 404
          ? 'the running sluice has no tap: it is older than this command'
          : `the tap is refused: ${printable(messageFrom(answer))}`,
      );
    }
    if (mediaTypeOf(answer) === 'application/x-ndjson') return answer;
    answer.destroy();
    throw new StartError('/tap gives no recording: something else than sluice answers');
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
    if (json === null) throw new StartError(messageFrom(answer));
    return json;
  }

  async #ask(method: 'GET' | 'POST' | 'DELETE', path: string, signal?: AbortSignal): Promise<AdminAnswer> {
    const answer = await this.#explained(askAdmin(this.#admin, method, path, ANSWER_TIMEOUT_MS, signal));
    const escape = answer.mediaType === 'application/json' ? printableOnceParsed : printable;
    return { ...answer, body: escape(answer.body) };
  }

  async #explained<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
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
