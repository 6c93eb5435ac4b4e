/**
 * The Markdown of docs/reference/log-lines.md: hand-written text, and tables of all log lines and fields.
 * Messages, levels and fields come from the source. The last column of each row is written by hand, and kept.
 */
import { format, resolveConfig } from 'prettier';
import { findLogCalls, type LogCall } from './log-calls.ts';

const BEGIN = '<!-- Made by npm run docs:reference, except the last column of each table. -->';

/** Sections and patterns of their paths below `src`. A line belongs to the first match. */
const SECTIONS: readonly (readonly [title: string, prefixes: RegExp])[] = [
  ['Workers', /^(?:primary\/workers|primary\/control\/worker-restarts|worker)/],
  ['Clusters and endpoints', /^(?:primary\/clusters|upstream)/],
  ['Clients', /^(?:transport|l7|l4|access|telemetry\/connection-stats)/],
  ['Passwords, key sets, revocations and Redis', /^primary\/access/],
  ['Admin address', /^primary\/admin/],
  ['Taps and tracing', /^primary\/(?:tap|tracing)/],
  ['Log files', /^telemetry\/output/],
  ['Start, reload, drain and end', /^/],
];
const FIELDS = 'Fields';

/** Returns the expected page. The hand-written column of new rows is empty. */
export async function logLinesPage(page: string, file: string): Promise<string> {
  const [text = '', tables = ''] = page.split(BEGIN);
  const written = writtenColumns(tables);
  const calls = findLogCalls();
  const parts = [text.trimEnd(), BEGIN];
  for (const [title] of SECTIONS.toSorted(([a], [b]) => orderOf(a) - orderOf(b))) {
    const rows = rowsOf(calls.filter((call) => sectionOf(call) === title));
    parts.push(`## ${title}`, table(['Message', 'Level', 'Fields', 'When'], rows, written));
  }
  const fields = [...new Set(calls.flatMap((call) => call.fields))].toSorted();
  const fieldRows = fields.map((field) => [`\`${field}\``]);
  parts.push(`## ${FIELDS}`, table(['Field', 'Meaning'], fieldRows, written));
  return format(parts.join('\n\n'), { ...(await resolveConfig(file)), parser: 'markdown' });
}

/** Lists the rows of a page whose hand-written column is empty. */
export function emptyRows(page: string): readonly string[] {
  const [, tables = ''] = page.split(BEGIN);
  return [...writtenColumns(tables)].flatMap(([row, words]) => (words === '' ? [row] : []));
}

function orderOf(title: string): number {
  return title.startsWith('Start') ? -1 : SECTIONS.findIndex(([other]) => other === title);
}

function sectionOf({ file }: LogCall): string {
  return SECTIONS.find(([, prefixes]) => prefixes.test(file))![0];
}

/** Returns one row per message and level: several places may write the same line. */
function rowsOf(calls: readonly LogCall[]): readonly (readonly string[])[] {
  const rows = new Map<string, { readonly head: readonly string[]; readonly fields: Set<string> }>();
  for (const { message, level, fields } of calls) {
    const key = `${message} ${level}`;
    const row = rows.get(key) ?? { head: [`\`${message}\``, level], fields: new Set<string>() };
    rows.set(key, row);
    for (const field of fields) row.fields.add(field);
  }
  return [...rows.values()].map(({ head, fields }) => [
    ...head,
    [...fields].map((field) => `\`${field}\``).join(' '),
  ]);
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  written: ReadonlyMap<string, string>,
): string {
  const cells = rows.map((row) => [...row, written.get(keyOf(row)) ?? '']);
  return [head, head.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Returns the last column of each row of a page, by {@link keyOf} of the row. */
function writtenColumns(tables: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>();
  for (const line of tables.split('\n')) {
    if (!line.startsWith('| `')) continue;
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    columns.set(keyOf(cells), cells.at(-1)!);
  }
  return columns;
}

/** Returns the key of a row: the message and level of a line, or the name of a field. */
function keyOf([first = '', second = '']: readonly string[]): string {
  return /^(?:debug|info|warn|error|fatal)$/.test(second) ? `${first} ${second}` : first;
}
