/** `sluice init`: writes a configuration. */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { loadConfig } from '../../config/loader.ts';
import { StartError, UsageError, codeOf, messageOf } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { edgeConfig } from '../edge/edge-config.ts';
import { DEFAULT_ADMIN, planOf, type EdgePlan } from '../edge/edge-plan.ts';
import { DEFAULT_TARGET, askOpen, defaultListen } from '../edge/questions.ts';
import { shellWords } from '../serving/listen-remedy.ts';
import { Prompt } from '../terminal/prompt.ts';

const DEFAULT_OUTPUT = 'sluice.yaml';
const TOKEN_BYTES = 24;
/** The file has a token: only its owner may read it. */
const PRIVATE_MODE = 0o600;
/** The umask decides. */
const PUBLIC_MODE = 0o666;

/**
 * Writes the file, and prints the next commands.
 *
 * @returns 0
 * @throws UsageError if the arguments are not valid, ConfigError if a certificate cannot be used, StartError
 * if the file exists or cannot be written
 */
export async function run(options: CommandOptions): Promise<number> {
  const output = options.flags.get('output') ?? DEFAULT_OUTPUT;
  // The heading of the file and the next commands have the name.
  if (/\p{Cc}/u.test(output)) throw new UsageError('--output: the name has a control character');
  const isReplaced = options.flags.has('force');
  if (!isReplaced && existsSync(output)) throw alreadyThere(output);
  const answers = await answersTo(options);
  const listen = defaultListen(answers.flags);
  const plan = seenFrom(dirname(output), planOf(answers, { listen, admin: DEFAULT_ADMIN }));
  const hasToken = !answers.flags.has('no-token');
  const place = output === DEFAULT_OUTPUT ? [] : ['-c', output];
  const text = edgeConfig(plan, {
    heading: [
      `Check this file with: sluice ${shellWords(['check', ...place])}`,
      `Run it with: sluice ${shellWords(['run', ...place])}`,
    ],
    token: hasToken ? randomBytes(TOKEN_BYTES).toString('hex') : null,
    isPretty: false,
  });
  loadConfig({ file: output, text, overrides: [], env: {} });
  write(output, text, hasToken ? PRIVATE_MODE : PUBLIC_MODE, isReplaced);
  process.stdout.write(
    `${output} is written${hasToken ? ', readable by you only, because it has a token' : ''}.\n\n` +
      `  sluice ${shellWords(['check', ...place])}\n  sluice ${shellWords(['run', ...place])}\n`,
  );
  return 0;
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
        (problem) => process.stdout.write(`  ${problem}\n`),
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

function write(file: string, text: string, mode: number, isReplaced: boolean): void {
  try {
    if (isReplaced) replace(file, text, mode);
    else writeFileSync(file, text, { mode, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw alreadyThere(file);
    throw new StartError(`${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** Replaces a file at once. The old file, its mode and its readers never see the token. */
function replace(file: string, text: string, mode: number): void {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) throw new Error('it is not a regular file');
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(draft, text, { mode, flag: 'wx' });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function alreadyThere(file: string): StartError {
  return new StartError(`${file} exists: replace it with --force, or write another file with --output FILE`);
}
