/** The `--help` texts. */
import { COMMAND_GROUPS, specOf, type CommandName } from './command-line/commands.ts';
import type { OptionSpec } from './command-line/spec.ts';
import { wrap } from './wrap.ts';

/** Max column of the meanings. A longer term has its own line. */
const MAX_COLUMN = 27;

const GENERAL = `Usage: sluice COMMAND [OPTIONS]

An edge proxy and load balancer for WebSockets.
`;
const GENERAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'help', short: 'h', help: 'this text, or help on a command: sluice run --help' },
  { name: 'version', short: 'V', help: 'the version; -v is the same' },
];
/** Paragraphs after the options of the general help. */
export const GENERAL_NOTES = [
  'The environment can set every value outside of lists: SLUICE_ and its path in capitals, such as SLUICE_LOG_LEVEL=debug or SLUICE_ADMIN_ADDRESS=127.0.0.1:9481. SLUICE_STICKY_SECRET sets the secret of sticky cookies for all clusters. SLUICE_CONFIG names the configuration.',
  'Exit status: 0 for success, 1 for a bad configuration or a failed start, 2 for bad usage.',
] as const;

type Row = readonly [term: string, meaning: string];

/** Returns what a call without arguments prints: the first commands to try. It fits on one screen. */
export function shortUsage(): string {
  const [{ title, commands }] = COMMAND_GROUPS;
  const rows = commands.map(({ name, summary }): Row => [name, summary]);
  return [GENERAL, block(title, rows, columnOf(rows)), 'All commands: sluice help\n'].join('\n');
}

/** Returns the help of one command, or the general help if null. Ends in a newline. */
export function usage(command: CommandName | null): string {
  return command === null ? generalHelp() : commandHelp(command);
}

function generalHelp(): string {
  const groups = COMMAND_GROUPS.map(({ title, commands }) => ({
    title,
    rows: commands.map(({ name, summary }): Row => [name, summary]),
  }));
  const options = GENERAL_OPTIONS.map(rowOf);
  const column = columnOf([...groups.flatMap(({ rows }) => rows), ...options]);
  return [
    GENERAL,
    ...groups.map(({ title, rows }) => block(title, rows, column)),
    block('Options', options, column),
    ...GENERAL_NOTES.map((note) => paragraph(note)),
  ].join('\n');
}

function commandHelp(command: CommandName): string {
  const { synopsis, text, examples = [], sections = [], groups, notes = [] } = specOf(command);
  const lists = groups.map(({ title, options }) => ({ title, options }));
  const column = columnOf([
    ...lists.flatMap(({ options }) => options.map(rowOf)),
    ...sections.flatMap(({ rows }) => rows),
  ]);
  return [
    usageLines(command, synopsis),
    ...text.map((one) => paragraph(one)),
    ...(examples.length === 0 ? [] : [`Examples:\n${examples.map(exampleLine).join('')}`]),
    ...lists.map(
      ({ title, options }) => `${title}:\n${options.map((option) => optionLines(option, column)).join('')}`,
    ),
    ...sections.map(({ title, rows }) => block(title, rows, column)),
    ...notes.map((note) => paragraph(note)),
  ].join('\n');
}

function usageLines(command: CommandName, synopsis: readonly string[]): string {
  return synopsis
    .map((form, index) => `${index === 0 ? 'Usage:' : '      '} sluice ${command} ${form}`.trimEnd())
    .join('\n')
    .concat('\n');
}

function exampleLine([command, meaning]: Row): string {
  return `  ${command}\n      ${meaning}\n`;
}

/** Returns the label of an option, such as `-c, --config FILE`. */
function labelOf({ name, short, value }: OptionSpec): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  return `${letter}--${name}${value === undefined ? '' : ` ${value.name}`}`;
}

function rowOf(option: OptionSpec): Row {
  return [labelOf(option), option.help];
}

/** Formats an option, and the words of its value below it if they have meanings. */
function optionLines(option: OptionSpec, column: number): string {
  const words = Object.entries(option.value?.words ?? {}).filter(([, meaning]) => meaning !== '');
  const width = Math.max(...words.map(([word]) => word.length));
  const lines = words.map(
    ([word, meaning]) => `${' '.repeat(column)}${word.padEnd(width)}  ${wrap(meaning, column + width + 2)}\n`,
  );
  return rowLines(rowOf(option), column) + lines.join('');
}

function block(title: string, rows: readonly Row[], column: number): string {
  return `${title}:\n${rows.map((row) => rowLines(row, column)).join('')}`;
}

function rowLines([term, meaning]: Row, column: number): string {
  const label = `  ${term}`;
  const start = label.length + 2 <= column ? label.padEnd(column) : `${label}\n${' '.repeat(column)}`;
  return `${start}${wrap(meaning, column)}\n`;
}

function columnOf(rows: readonly Row[]): number {
  return Math.min(MAX_COLUMN, Math.max(...rows.map(([term]) => term.length + 4)));
}

function paragraph(text: string): string {
  return `${wrap(text, 0)}\n`;
}
