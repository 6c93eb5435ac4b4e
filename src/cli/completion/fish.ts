/** The completion script of fish. */
import type { OptionSpec, ValueSpec } from '../command-line/spec.ts';
import { completedCommands, type CompletedCommand } from './completed-command.ts';

/** Returns the script. */
export function fishScript(): string {
  const commands = completedCommands();
  const lines = [
    '# Completion of sluice for fish. In ~/.config/fish/config.fish: sluice completion fish | source',
    'complete -c sluice -f',
    "complete -c sluice -n __fish_use_subcommand -s h -l help -d 'this text'",
    "complete -c sluice -n __fish_use_subcommand -s V -l version -d 'the version'",
    ...commands.map(
      ({ name, summary }) => `complete -c sluice -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(linesOf),
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf({ name, options, operand }: CompletedCommand): string[] {
  const start = `complete -c sluice -n '__fish_seen_subcommand_from ${name}'`;
  const operands = operand === null ? '' : valueOf(operand).replace(/^-x ?/, '');
  return [
    ...options.map((option) => `${start} ${optionOf(option)}`),
    ...(operands === '' ? [] : [`${start} ${operands}`]),
  ];
}

function optionOf({ name, short, value, help }: OptionSpec): string {
  return [
    ...(short === undefined ? [] : [`-s ${short}`]),
    `-l ${name}`,
    ...(value === undefined ? [] : [valueOf(value)]),
    `-d ${quoted(help)}`,
  ].join(' ');
}

function valueOf({ words, isFile, extensions }: ValueSpec): string {
  if (words !== undefined) return `-x -a ${quoted(Object.keys(words).join(' '))}`;
  if (extensions !== undefined) {
    const ends = extensions.map((extension) => `.${extension}`).join(' ');
    // Each call returns all files, those with the end first.
    return `-x -k -a ${quoted(`(for end in ${ends}; __fish_complete_suffix $end; end)`)}`;
  }
  return isFile === true ? '-r -F' : '-x';
}

/** Quotes a text for fish, where a backslash escapes a quote. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
