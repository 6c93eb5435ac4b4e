/** The manual page man/sluice.1, in the macros of man(7). */
import { COMMANDS, specOf, type CommandName } from '../../src/cli/command-line/commands.ts';
import type { OptionSpec } from '../../src/cli/command-line/spec.ts';
import { GENERAL_NOTES } from '../../src/cli/usage.ts';
import { version } from '../../src/core/version.ts';

/** The date of the page, which a page of the manual needs. */
const DATE = '2026-11-30';
/** Max characters of a line of the source. */
const WIDTH = 78;

const FILES = [
  ['./sluice.yaml', 'the configuration of a project'],
  ['/etc/sluice/sluice.yaml', 'the configuration of the machine'],
] as const;

/** Returns the page: all commands with their options. */
export function manPage(): Promise<string> {
  const parts = [
    String.raw`.\" Made by npm run docs:reference.`,
    `.TH SLUICE 1 ${DATE} "sluice ${version()}" "User Commands"`,
    '.SH NAME',
    String.raw`sluice \- edge proxy and load balancer for WebSockets`,
    '.SH SYNOPSIS',
    String.raw`.B sluice`,
    String.raw`.I COMMAND`,
    '[OPTIONS]',
    '.SH DESCRIPTION',
    'sluice is a proxy in front of WebSocket, HTTP and TCP servers.',
    'The commands are below, each with its options.',
    '.SH COMMANDS',
    ...COMMANDS.flatMap(commandPart),
    '.SH NOTES',
    ...GENERAL_NOTES.flatMap((note, index) => [...(index === 0 ? [] : ['.PP']), escaped(note)]),
    '.SH FILES',
    ...FILES.flatMap(([file, meaning]) => rowPart(file, meaning)),
    '.SH SEE ALSO',
    '.BR systemd (1),',
    '.BR curl (1)',
  ];
  return Promise.resolve(`${parts.join('\n')}\n`);
}

function commandPart(command: CommandName): string[] {
  const { synopsis, text, examples = [], groups, sections = [], notes = [] } = specOf(command);
  return [
    `.SS sluice ${command}`,
    ...synopsis.flatMap((form, index) => [
      ...(index === 0 ? [] : ['.br']),
      `.B ${escaped(`sluice ${command}`)}`,
      ...(form === '' ? [] : [escaped(form)]),
    ]),
    ...text.flatMap(paragraph),
    ...examples.flatMap(([example, meaning]) => rowPart(example, meaning)),
    ...groups.flatMap(({ title, options }) => [...paragraph(`${title}:`), ...options.flatMap(optionPart)]),
    ...sections.flatMap(({ title, rows }) => [
      ...paragraph(`${title}:`),
      ...rows.flatMap(([term, meaning]) => rowPart(term, meaning)),
    ]),
    ...notes.flatMap(paragraph),
  ];
}

function optionPart({ name, short, value, help }: OptionSpec): string[] {
  const words = Object.entries(value?.words ?? {}).filter(([, meaning]) => meaning !== '');
  const label = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value.name}`}`;
  if (words.length === 0) return rowPart(label, help);
  const rows = words.flatMap(([word, meaning]) => rowPart(word, meaning));
  return [...rowPart(label, help), '.RS', ...rows, '.RE'];
}

function rowPart(term: string, meaning: string): string[] {
  return ['.TP', `.B ${escaped(term)}`, escaped(meaning)];
}

function paragraph(text: string): string[] {
  return ['.PP', escaped(text)];
}

/** Escapes a text for roff, and breaks it into lines. No line begins with a control character. */
function escaped(text: string): string {
  const lines: string[] = [];
  const words = text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll('"', String.raw`\(dq`)
    .split(' ');
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word.replace(/^[.']/, String.raw`\&$&`));
  }
  return lines.join('\n');
}
