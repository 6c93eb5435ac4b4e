/** Reads the command line. */
import { nearest } from '../config/syntax/hints/nearest.ts';
import { UsageError } from '../core/errors.ts';
import { COMMANDS, optionsOf, specOf, type CommandName } from './command-line/commands.ts';
import type { OptionSpec, ValueSpec } from './command-line/spec.ts';
import { tokensOf, type OptionToken } from './command-line/tokens.ts';

/** The arguments of a command. */
export interface CommandOptions {
  /** The arguments as given, the command included. */
  readonly argv: readonly string[];
  /** The path of `--config` as the user wrote it. Null if not given: see `configSource`. */
  readonly configFile: string | null;
  /** Values of `--set`, each `path=value`, in order. */
  readonly overrides: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of the other options, by name. Empty string for an option that takes no value. */
  readonly flags: ReadonlyMap<string, string>;
  /** Values of the options that may be repeated, by name, in order. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Arguments that are no options, such as the session ID that the command acts on. */
  readonly operands: readonly string[];
}

/** Commands that `main` does not answer itself. */
export type RunnableName = Exclude<CommandName, 'bench' | 'help' | 'version'>;

export type Invocation =
  | { readonly kind: 'command'; readonly command: RunnableName; readonly options: CommandOptions }
  /** Help on one command; general help if null. */
  | { readonly kind: 'help'; readonly command: CommandName | null }
  /** No command is given. */
  | { readonly kind: 'none' }
  | { readonly kind: 'version' }
  /** The load generator. It parses its own arguments. */
  | { readonly kind: 'bench'; readonly argv: readonly string[] };

/** An option before its command, or without one. */
const GENERAL_OPTIONS: readonly OptionSpec[] = [{ name: 'version', short: 'V', help: 'the version' }];
/** The letter of many other programs for the version. With a command, they use it for verbose output. */
const SECOND_VERSION = '-v';
/** Max characters of a bad value in an error. */
const MAX_SHOWN = 80;
/** Max commands that an error names. */
const MAX_OWNERS = 3;
/** The load generator uses some of the same names for other things. */
const OWN_COMMANDS = COMMANDS.filter((name) => name !== 'bench');
/** The options of all commands, by name. An option has the same kind of value in every command. */
const OPTIONS: ReadonlyMap<string, OptionSpec> = new Map(
  [...OWN_COMMANDS.flatMap(optionsOf), ...GENERAL_OPTIONS].map((option) => [option.name, option]),
);

/**
 * Parses the arguments after the program name.
 *
 * @throws UsageError with one line that names the argument and the remedy
 */
export function parseArguments(argv: readonly string[], env: CommandOptions['env']): Invocation {
  if (argv[0] === 'bench') return benchOf(argv.slice(1));
  if (argv.length === 0) return { kind: 'none' };
  const tokens = tokensOf(argv, OPTIONS.values());
  const positionals = tokens.filter((token) => token.kind === 'positional').map((token) => token.value);
  const given = tokens.filter((token) => token.kind === 'option');
  const asksForVersion = given.some(({ rawName }) => rawName === SECOND_VERSION);
  for (const option of given) {
    if (!OPTIONS.has(option.name) && option.rawName !== SECOND_VERSION) throw unknownOption(option);
  }
  const names = new Set(given.map(({ name }) => name));

  const [first, ...operands] = positionals;
  const command = first === undefined ? null : commandOf(first);
  if (command === 'help' || names.has('help')) return helpOf(command, operands);
  if (command === 'version' || names.has('version')) return { kind: 'version' };
  if (asksForVersion) {
    if (command === null) return { kind: 'version' };
    throw new UsageError(
      `${command} has no option ${SECOND_VERSION}: only sluice ${SECOND_VERSION} prints the version`,
    );
  }
  if (command === null) throw new UsageError('no command given');
  // An option precedes the command.
  if (command === 'bench')
    throw new UsageError('write the options of bench after it: sluice bench URL -d 5s');
  const values = valuesOf(command, given);
  checkOperands(command, operands);
  return {
    kind: 'command',
    command: names.has('test') ? 'check' : command,
    options: { argv, env, operands, ...values },
  };
}

/** Returns the command whose help explains an error of these arguments. Null if there is none. */
export function commandToExplain(argv: readonly string[]): CommandName | null {
  const found = tokensOf(argv, OPTIONS.values()).find(({ kind }) => kind === 'positional');
  const name = found?.kind === 'positional' ? found.value : undefined;
  const command = COMMANDS.find((known) => known === name) ?? null;
  return command === 'help' ? null : command;
}

function benchOf(argv: readonly string[]): Invocation {
  const asksForHelp = argv.some((argument) => argument === '--help' || argument === '-h');
  return asksForHelp ? { kind: 'help', command: 'bench' } : { kind: 'bench', argv };
}

function helpOf(command: CommandName | null, operands: readonly string[]): Invocation {
  if (command !== 'help') return { kind: 'help', command };
  checkOperands(command, operands);
  const [topic] = operands;
  return { kind: 'help', command: topic === undefined ? null : commandOf(topic) };
}

function valuesOf(
  command: CommandName,
  given: readonly OptionToken[],
): Pick<CommandOptions, 'configFile' | 'overrides' | 'flags' | 'lists'> {
  const own = new Map(optionsOf(command).map((option) => [option.name, option]));
  const flags = new Map<string, string>();
  const lists = new Map<string, string[]>();
  for (const option of given) {
    const spec = own.get(option.name);
    if (spec === undefined) throw foreignOption(command, option);
    checkValue(spec, option);
    const value = option.value ?? '';
    if (spec.isRepeatable === true) lists.set(spec.name, [...(lists.get(spec.name) ?? []), value]);
    else flags.set(spec.name, value);
  }
  const configFile = flags.get('config') ?? null;
  const overrides = lists.get('set') ?? [];
  // The others are for the command itself.
  for (const name of ['config', 'test']) flags.delete(name);
  lists.delete('set');
  return { configFile, overrides, flags, lists };
}

function commandOf(text: string): CommandName {
  const command = COMMANDS.find((name) => name === text);
  if (command !== undefined) return command;
  const near = nearest(text, COMMANDS);
  throw new UsageError(`unknown command "${text}"${near === undefined ? '' : `: did you mean ${near}?`}`);
}

function unknownOption({ name, rawName }: OptionToken): UsageError {
  const near = nearest(name, [...OPTIONS.keys()]);
  return new UsageError(
    `unknown option ${rawName}` + (near === undefined ? '' : `: did you mean --${near}?`),
  );
}

function foreignOption(command: CommandName, { name, rawName }: OptionToken): UsageError {
  const owners = OWN_COMMANDS.filter((other) => optionsOf(other).some((option) => option.name === name));
  return new UsageError(`${command} has no option ${rawName}: ${ownersText(owners)}`);
}

/** Names the commands that have an option. */
function ownersText(owners: readonly string[]): string {
  const names = owners.slice(0, MAX_OWNERS).join(', ');
  if (owners.length > MAX_OWNERS) return `only ${names} and others have it`;
  return `only ${names.replace(/, (?=[^,]*$)/, ' and ')} ${owners.length === 1 ? 'has' : 'have'} it`;
}

function checkOperands(command: CommandName, operands: readonly string[]): void {
  const { operand } = specOf(command);
  const excess = operands[operand?.max ?? 0];
  if (excess !== undefined) {
    const remedy = optionsOf(command).some(({ name }) => name === 'config')
      ? `: a file is given with -c ${excess}`
      : '';
    throw new UsageError(`${command} takes no argument "${excess}"${remedy}`);
  }
  for (const value of operands) {
    const problem = operand === undefined ? null : problemOf(operand, value);
    if (problem !== null) throw new UsageError(`${command} ${shown(value)}: ${problem}`);
  }
}

function checkValue({ value: wanted }: OptionSpec, { rawName, value, inlineValue }: OptionToken): void {
  if (wanted === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return;
  }
  // An argument that begins with a dash is the next option.
  const isStdin = wanted.allowsDash === true && value === '-';
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('-') && !isStdin)) {
    throw new UsageError(`${rawName} needs ${wanted.wanted}`);
  }
  const problem = problemOf(wanted, value);
  if (problem !== null) throw new UsageError(`${rawName} ${shown(value)}: ${problem}`);
}

function problemOf({ words, problem }: ValueSpec, value: string): string | null {
  if (words !== undefined && !Object.hasOwn(words, value)) {
    return `write ${Object.keys(words).join(', ')}`.replace(/, (?=[^,]*$)/, ' or ');
  }
  return problem?.(value) ?? null;
}

function shown(value: string): string {
  return value.length <= MAX_SHOWN ? value : `${value.slice(0, MAX_SHOWN).toWellFormed()}...`;
}
