import type { IncomingMessage } from 'node:http';
import { loadAdmin, loadConfig } from '../config/loader.ts';
import type { Config } from '../config/types/config.ts';
import { formatAddress } from '../core/address.ts';
import { ConfigError, StartError, codeOf, messageOf } from '../core/errors.ts';
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
import { adminSource } from './config-file.ts';

const ANSWER_TIMEOUT_MS = 60_000;
/** Max time without a `/live` frame. The server sends one each second. */
const SILENCE_MS = 5000;
/** Max time without a line of a tap. The server sends an empty line at least every 5 s. */
const TAP_SILENCE_MS = 15_000;

/**
 * Sends requests to the admin server, with the address and token of a configuration.
 *
 * Answers contain text that clients and endpoints choose. This class escapes every answer, because the
 * commands write answers and their JSON strings to a terminal.
 */
export class AdminClient {
  readonly #admin: Config['admin'];

  /**
   * Reads the configuration. Errors outside of `admin` are one warning, because the running proxy may have an
   * older configuration.
   *
   * @param warn takes one line without its end
   * @throws ConfigError if `admin` cannot be read, or if `--set` is not valid
   */
  constructor(
    options: Pick<CommandOptions, 'configFile' | 'overrides' | 'env'>,
    warn: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
  ) {
    this.#admin = adminSettings(options, warn);
  }

  /** Whether `admin.token` is set. Every command and some paths need it. */
  get hasToken(): boolean {
    return this.#admin.token !== null;
  }

  /** @throws StartError if the admin server does not answer, or is not sluice's */
  async status(): Promise<Status> {
    const status = JSON.parse(await this.get('/status')) as Partial<Status> | null;
    if (typeof status?.version === 'string') return status as Status;
    throw new StartError('/status returned no version: the server there is not sluice');
  }

  /**
   * Returns JSON as text.
   *
   * @param signal aborts the request
   * @throws StartError if the status is not 200, if the admin server does not answer, or is not sluice's
   */
  async get(path: string, signal?: AbortSignal): Promise<string> {
    const answer = await this.#ask('GET', path, signal);
    if (answer.status !== 200) throw new StartError(`${path} gives ${answer.status}: ${messageFrom(answer)}`);
    if (isJson(answer)) return answer.body;
    throw new StartError(`${path} returned no JSON: the server there is not sluice`);
  }

  /**
   * Opens the stream of live frames. Its bytes are not escaped: see {@link printableOnceParsed}.
   *
   * @throws StartError if the running version has no `/live`, or if the admin server does not answer
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
    throw new StartError('/live returned no event stream: the server there is not sluice');
  }

  /**
   * Starts a tap, which lasts as long as the stream. Its bytes are not escaped.
   *
   * @param path `/tap` and its parameters
   * @throws StartError if the tap is refused, or if the admin server does not answer
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
    throw new StartError('/tap returned no recording: the server there is not sluice');
  }

  /**
   * Sends a command.
   *
   * @returns the JSON of the answer. Its status is below 300, or 409 if the state of the process does not
   * allow the command.
   * @throws StartError if the command is refused, or if the admin server does not answer
   */
  post(path: string): Promise<CommandAnswer> {
    return this.#command('POST', path);
  }

  /** Sends a command that removes something. See {@link post}. */
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

function adminSettings(
  options: Pick<CommandOptions, 'configFile' | 'overrides' | 'env'>,
  warn: (line: string) => void,
): Config['admin'] {
  const source = adminSource(options);
  try {
    return loadConfig(source).config.admin;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.problems.some(({ place }) => place.startsWith('--set '))) throw error;
    const admin = loadAdmin(source);
    warn(`the configuration on disk has errors: sluice check -c ${source.file}`);
    return admin;
  }
}

function isJson({ mediaType, body }: AdminAnswer): boolean {
  if (mediaType !== 'application/json') return false;
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

/**
 * Adds command options to a path as query parameters of the same names. Values may contain the escapes of
 * printed answers.
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
