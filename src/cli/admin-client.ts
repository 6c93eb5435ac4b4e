/** The admin address of the sluice that runs with a configuration. */
import { loadConfig } from '../config/loader.ts';
import type { Config } from '../config/types/config.ts';
import { formatAddress } from '../core/address.ts';
import { StartError, codeOf, messageOf } from '../core/errors.ts';
import { askAdmin } from '../primary/process/admin-request.ts';
import type { Status } from '../protocol/status.ts';
import { printable, printableOnceParsed } from '../telemetry/printable.ts';
import type { CommandOptions } from './arguments.ts';

const ANSWER_MS = 60_000;

type Answer = Awaited<ReturnType<typeof askAdmin>>;

/**
 * Asks the admin server; the address and the token come from the configuration. Answers hold text that others choose,
 * so all of them are made printable here: the commands write them, or what JSON says in them, to a terminal.
 */
export class AdminClient {
  readonly #admin: Config['admin'];

  /** @throws ConfigError for a configuration that cannot be used */
  constructor({ configFile: file, overrides, env }: CommandOptions) {
    this.#admin = loadConfig({ file, overrides, env }).config.admin;
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.get('/status')) as Status;
  }

  async get(path: string): Promise<string> {
    const { status, body } = await this.#ask('GET', path);
    if (status !== 200) throw new StartError(`${path} gives ${status}: ${firstLine(body)}`);
    return body;
  }

  /** @throws StartError where the command is refused */
  async post(path: string): Promise<Answer> {
    const answer = await this.#ask('POST', path);
    if (answer.status < 300 || answer.status === 409) return answer;
    throw new StartError(firstLine(answer.body));
  }

  async #ask(method: 'GET' | 'POST', path: string): Promise<Answer> {
    try {
      const answer = await askAdmin(this.#admin, method, path, ANSWER_MS);
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

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
