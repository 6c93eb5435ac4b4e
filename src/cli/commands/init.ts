/** `sluice init`: writes a configuration. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { loadConfig } from '../../config/loader.ts';
import { reasonOf } from '../../config/syntax/files.ts';
import { ConfigError, StartError, UsageError } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { Companions, type Companion } from '../edge/companions.ts';
import { edgeConfig } from '../edge/edge-config.ts';
import { DEFAULT_ADMIN, planOf, type EdgePlan } from '../edge/edge-plan.ts';
import { checkPair } from '../edge/key-pair.ts';
import { createFile, replaceFile } from '../edge/new-file.ts';
import { DEFAULT_TARGET, askOpen, defaultListen } from '../edge/questions.ts';
import { schemaPath } from '../explain/known-keys.ts';
import { shellWords } from '../serving/listen-remedy.ts';
import { Prompt } from '../terminal/prompt.ts';
import { wrap } from '../wrap.ts';

const DEFAULT_OUTPUT = 'sluice.yaml';
/** The umask decides: no secret is in the file. */
const MODE = 0o666;
const INDENT = '  ';
const NEWS_INDENT = '      ';

/**
 * Writes the file with its token and its schema, and prints the next commands.
 *
 * @returns 0
 * @throws UsageError if the arguments are not valid
 * @throws StartError if a certificate or an existing token cannot be used, or if the file exists or cannot be
 * written
 */
export async function run(options: CommandOptions): Promise<number> {
  const output = options.flags.get('output') ?? DEFAULT_OUTPUT;
  const isReplaced = options.flags.has('force');
  checkOutput(output, isReplaced);
  const answers = await answersTo(options);
  const listen = defaultListen(answers.flags);
  const plan = planOf(answers, { listen, admin: DEFAULT_ADMIN });
  if (plan.certificate !== null) checkPair(plan.certificate);
  const folder = dirname(output);
  const companions = new Companions(folder);
  const token = answers.flags.has('no-token') ? null : companions.token();
  try {
    const schema = companions.schema(schemaPath());
    const file = { file: output, text: textOf(seenFrom(folder, plan), output, token, schema), mode: MODE };
    loadConfig({ file: output, text: file.text, overrides: [], env: {} });
    if (isReplaced) replaceFile(file);
    else createFile(file);
    process.stdout.write(report(output, token === null ? [schema] : [token, schema], options.env));
    return 0;
  } catch (error) {
    companions.remove();
    throw error instanceof ConfigError ? notWritten(output, error, token) : error;
  }
}

/** Explains an invalid configuration without its places: the file does not exist. */
function notWritten(output: string, error: ConfigError, token: Companion | null): StartError {
  const remedy =
    token?.isOlder === true
      ? `; ${token.name} existed before: delete it for a new token, or add --no-token`
      : '';
  const messages = error.problems.map(({ message }) => message).join('; ');
  return new StartError(`${output} is not written: ${messages}${remedy}`, { cause: error });
}

/** Checks before the questions what would make the answers useless. */
function checkOutput(output: string, isReplaced: boolean): void {
  // The heading of the file and the next commands have the name.
  if (/\p{Cc}/u.test(output)) throw new UsageError('--output: the name has a control character');
  if (output === '-' || output.endsWith('/')) {
    throw new UsageError(`--output ${output}: name a file, such as ${DEFAULT_OUTPUT}`);
  }
  if (/\.json$/i.test(output)) {
    throw new UsageError(`--output ${output}: init writes YAML: choose a name such as ${DEFAULT_OUTPUT}`);
  }
  const folder = dirname(output);
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) {
      accessSync(folder, constants.W_OK);
    } else {
      const remedy = `make it with mkdir -p ${shellWords([folder])}`;
      throw new StartError(`${output} cannot be written: there is no folder ${folder}: ${remedy}`);
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${output} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
  if (!isReplaced && existsSync(output)) {
    throw new StartError(
      `${output} exists: replace it with --force, or write another file with --output FILE`,
    );
  }
}

function textOf(plan: EdgePlan, output: string, token: Companion | null, schema: Companion): string {
  return edgeConfig(plan, {
    heading: [
      ...(schema.isNamed ? [`yaml-language-server: $schema=./${schema.name}`] : []),
      `Check this file with: ${command('check', output)}`,
      `Run it with: ${command('run', output)}`,
    ],
    tokenFile: token === null ? null : `./${token.name}`,
    isPretty: false,
  });
}

function report(output: string, companions: readonly Companion[], env: CommandOptions['env']): string {
  const folder = dirname(output);
  const files = companions.map(
    ({ name, news }) => `${INDENT}${join(folder, name)}\n${NEWS_INDENT}${wrap(news, NEWS_INDENT.length)}\n`,
  );
  // Under npx, the shell does not find the command itself.
  const runner = env.npm_command === 'exec' ? 'npx ' : '';
  const commands = ['check', 'run'].map((name) => `${INDENT}${runner}${command(name, output)}\n`);
  return `${output} is written. Beside it:\n\n${files.join('')}\nCheck it, and run it:\n\n${commands.join('')}`;
}

function command(name: string, output: string): string {
  return `sluice ${shellWords(output === DEFAULT_OUTPUT ? [name] : [name, '-c', output])}`;
}

/** Asks at a terminal. Otherwise, a target must be given, or `--yes`. */
async function answersTo(
  options: CommandOptions,
): Promise<Pick<CommandOptions, 'flags' | 'lists' | 'operands'>> {
  const { flags, operands } = options;
  if (!flags.has('yes') && process.stdin.isTTY && process.stdout.isTTY) {
    const prompt = new Prompt();
    try {
      return await askOpen(
        options,
        (question) => prompt.ask(question),
        (problem) => process.stdout.write(`${INDENT}${wrap(problem, INDENT.length)}\n`),
      );
    } finally {
      prompt.close();
    }
  }
  if (operands.length > 0) return options;
  if (flags.has('yes')) return { ...options, operands: [DEFAULT_TARGET] };
  throw new UsageError(
    'init asks at a terminal only: name the server, as in sluice init 3000 --host chat.example.com, or add --yes',
  );
}

/** Paths of arguments start at the working directory, and those of a configuration at its own directory. */
function seenFrom(folder: string, plan: EdgePlan): EdgePlan {
  const { certificate } = plan;
  if (certificate === null) return plan;
  const moved = (file: string): string =>
    isAbsolute(file) ? file : relative(resolve(folder), resolve(file));
  return { ...plan, certificate: { cert: moved(certificate.cert), key: moved(certificate.key) } };
}
