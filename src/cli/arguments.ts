/** Reads the command line. */
import { parseArgs } from 'node:util';
import { nearest } from '../config/syntax/nearest.ts';
import { UsageError } from '../core/errors.ts';
import {
  CLOSE_CODE,
  DRAIN_PARAMETERS,
  PAGE_LIMIT,
  REASON_REMEDY,
  TAP_DURATION,
  TAP_FRAMES,
  TAP_PAYLOAD,
  TAP_SAMPLE,
  isReason,
  type CommandParameter,
} from '../protocol/admin/command-parameters.ts';

/** The arguments of a command. */
export interface CommandOptions {
  /** The path as the user wrote it. Defaults to `config/sluice.yaml`. */
  readonly configFile: string;
  /** Values of `--set`, each `path=value`, in order. */
  readonly overrides: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of the options of this command, by name. Empty string for an option that takes no value. */
  readonly flags: ReadonlyMap<string, string>;
  /** Values of `--redact`, in order. */
  readonly redact: readonly string[];
  /** The session ID or principal that the command acts on. Null if not given. */
  readonly operand: string | null;
}

export const COMMANDS = [
  'run',
  'check',
  'print-config',
  'demo',
  'reload',
  'drain',
  'sessions',
  'kick',
  'revoke',
  'events',
  'status',
  'top',
  'tap',
] as const;
export type CommandName = (typeof COMMANDS)[number];

export type Invocation =
  | { readonly kind: 'command'; readonly command: CommandName; readonly options: CommandOptions }
  /** Help on one command; general help if null. */
  | { readonly kind: 'help'; readonly command: CommandName | null }
  | { readonly kind: 'version' }
  /** The load generator. It parses its own arguments. */
  | { readonly kind: 'bench'; readonly argv: readonly string[] };

/** Its options are in bench/options. */
const BENCH = 'bench';

const DEFAULT_FILE = 'config/sluice.yaml';

const OPTIONS = {
  config: { type: 'string', short: 'c', multiple: true },
  set: { type: 'string', multiple: true },
  test: { type: 'boolean', short: 't' },
  takeover: { type: 'boolean' },
  watch: { type: 'boolean' },
  undo: { type: 'boolean' },
  follow: { type: 'boolean' },
  json: { type: 'boolean' },
  listener: { type: 'string' },
  cluster: { type: 'string' },
  endpoint: { type: 'string' },
  rate: { type: 'string' },
  deadline: { type: 'string' },
  jitter: { type: 'string' },
  principal: { type: 'string' },
  client: { type: 'string' },
  limit: { type: 'string' },
  code: { type: 'string' },
  reason: { type: 'string' },
  session: { type: 'string' },
  route: { type: 'string' },
  sample: { type: 'string' },
  payload: { type: 'boolean' },
  'max-payload': { type: 'string' },
  redact: { type: 'string', multiple: true },
  hex: { type: 'boolean' },
  from: { type: 'string' },
  output: { type: 'string' },
  force: { type: 'boolean' },
  duration: { type: 'string' },
  frames: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const;
/** The value that each option takes, as error messages name it. */
const VALUES: Readonly<Record<string, string>> = {
  config: 'a file',
  set: 'path=value',
  listener: 'a name',
  cluster: 'a name',
  endpoint: 'an address',
  rate: 'a rate, such as 100/s',
  deadline: 'a duration, such as 5m',
  jitter: 'a duration, such as 5m',
  principal: 'a name, such as jwt:alice or alice',
  client: 'an IP address',
  limit: 'a number',
  code: 'a close code',
  reason: 'a text',
  session: 'the id of a session',
  route: 'a name',
  sample: 'a part, such as 1%',
  'max-payload': 'a size, such as 4KiB',
  redact: 'a rule, such as $.password or /[0-9]{16}/',
  from: 'a file',
  output: 'a file',
  duration: 'a duration, such as 5m',
  frames: 'a number',
};
/** Options that only some commands have. */
const FLAGS: Readonly<Record<string, readonly CommandName[]>> = {
  test: ['run'],
  takeover: ['run'],
  watch: ['run', 'drain'],
  undo: ['drain', 'revoke'],
  follow: ['events'],
  json: ['status', 'sessions', 'events', 'top', 'tap'],
  listener: ['drain', 'tap'],
  cluster: ['drain', 'sessions', 'tap'],
  endpoint: ['drain', 'tap'],
  rate: ['drain'],
  deadline: ['drain'],
  jitter: ['drain'],
  principal: ['sessions', 'kick', 'tap'],
  client: ['sessions', 'tap'],
  limit: ['sessions', 'events'],
  code: ['kick'],
  reason: ['kick'],
  session: ['tap'],
  route: ['tap'],
  sample: ['tap'],
  payload: ['tap'],
  'max-payload': ['tap'],
  redact: ['tap'],
  hex: ['tap'],
  from: ['tap'],
  output: ['tap'],
  force: ['tap'],
  duration: ['tap'],
  frames: ['tap'],
};
/** Commands that take an operand. */
const OPERANDS: ReadonlySet<CommandName> = new Set(['kick', 'revoke']);

/**
 * Options that become parameters of an admin command. The running sluice validates them by the same rules.
 */
const PARAMETERS: Readonly<Record<string, CommandParameter>> = {
  ...DRAIN_PARAMETERS,
  limit: PAGE_LIMIT,
  code: CLOSE_CODE,
  sample: TAP_SAMPLE,
  'max-payload': TAP_PAYLOAD,
  duration: TAP_DURATION,
  frames: TAP_FRAMES,
};

type Option = Extract<ReturnType<typeof tokensOf>[number], { kind: 'option' }>;

/**
 * Parses the arguments after the program name.
 *
 * @throws UsageError with one line that names the argument and the remedy
 */
export function parseArguments(argv: readonly string[], env: CommandOptions['env']): Invocation {
  if (argv[0] === BENCH) return { kind: 'bench', argv: argv.slice(1) };
  const tokens = tokensOf(argv);
  const positionals = tokens.filter((token) => token.kind === 'positional').map((token) => token.value);
  const options = tokens.filter((token) => token.kind === 'option');
  for (const option of options) checkOption(option);
  const given = new Set(options.map((option) => option.name));

  const command = positionals[0] === undefined ? null : commandOf(positionals[0]);
  if (given.has('help')) return { kind: 'help', command };
  if (given.has('version')) return { kind: 'version' };
  if (command === null)
    throw new UsageError(`no command given: write one of ${[...COMMANDS, BENCH].join(', ')}`);
  const operands = OPERANDS.has(command) ? 1 : 0;
  const excess = positionals[1 + operands];
  if (excess !== undefined) {
    throw new UsageError(`${command} takes no argument "${excess}": a file is given with -c ${excess}`);
  }
  const flags = new Map<string, string>();
  for (const { name, rawName, value } of options) {
    const commands = FLAGS[name];
    if (commands === undefined) continue;
    if (!commands.includes(command)) {
      throw new UsageError(`${command} has no option ${rawName}: ${commands.join(' and ')} has`);
    }
    if (name !== 'test' && name !== 'redact') flags.set(name, value ?? '');
  }

  const files = valuesOf(options, 'config');
  return {
    kind: 'command',
    command: given.has('test') ? 'check' : command,
    options: {
      configFile: files.at(-1) ?? DEFAULT_FILE,
      overrides: valuesOf(options, 'set'),
      env,
      flags,
      redact: valuesOf(options, 'redact'),
      operand: positionals[1] ?? null,
    },
  };
}

/** Splits the arguments. Not strict, because Node's own messages for bad arguments span three lines. */
function tokensOf(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true }).tokens;
}

function commandOf(text: string): CommandName {
  const command = COMMANDS.find((name) => name === text);
  if (command !== undefined) return command;
  const near = nearest(text, [...COMMANDS, BENCH]);
  const hint =
    near === undefined ? `write one of ${[...COMMANDS, BENCH].join(', ')}` : `did you mean ${near}?`;
  throw new UsageError(`unknown command "${text}": ${hint}`);
}

function checkOption(option: Option): void {
  const known = Object.keys(OPTIONS);
  if (!known.includes(option.name)) {
    const near = nearest(option.name, known);
    throw new UsageError(
      `unknown option ${option.rawName}` + (near === undefined ? '' : `: did you mean --${near}?`),
    );
  }
  const wanted = VALUES[option.name];
  const { value } = option;
  if (wanted === undefined) {
    if (value !== undefined) throw new UsageError(`${option.rawName} takes no value`);
    return;
  }
  // An argument that begins with a dash is the next option, except `--from -` (stdin).
  const isStdin = option.name === 'from' && value === '-';
  if (value === undefined || value === '' || (!option.inlineValue && value.startsWith('-') && !isStdin)) {
    throw new UsageError(`${option.rawName} needs ${wanted}`);
  }
  if (option.name === 'set' && value.indexOf('=') < 1) {
    throw new UsageError(`--set ${value}: write path=value, such as --set log.level=debug`);
  }
  if (option.name === 'reason' && !isReason(value)) {
    throw new UsageError(`--reason: ${REASON_REMEDY}`);
  }
  const parameter = PARAMETERS[option.name];
  if (parameter !== undefined && parameter.parse(value) === undefined) {
    throw new UsageError(`${option.rawName} ${value}: ${parameter.remedy}`);
  }
}

function valuesOf(options: readonly Option[], name: string): string[] {
  return options.filter((option) => option.name === name).map((option) => option.value ?? '');
}
