/** docs/reference/conformance.md: each suite writes the section that begins with its title. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

const PAGE = join(import.meta.dirname, '../../docs/reference/conformance.md');

/** True if the page must be written, false if it is only compared. */
export const WRITES_PAGE = process.env.WRITE_CONFORMANCE === '1';

/** The section as it stands; empty where there is none. */
export function readSection(title: string): string {
  return sections().find((section) => section.startsWith(`${title}\n`)) ?? '';
}

/** Asserts that a section stands on the page as a suite has found things to be, or writes it. */
export async function assertSection(markdown: string): Promise<void> {
  const options = { ...(await resolveConfig(PAGE)), filepath: PAGE };
  const wanted = await format(markdown, options);
  const title = wanted.slice(0, wanted.indexOf('\n'));
  if (WRITES_PAGE) {
    const others = sections().filter((section) => section !== '' && !section.startsWith(`${title}\n`));
    const all = [...others, wanted].sort().reverse();
    writeFileSync(PAGE, all.map((section) => section.trimEnd()).join('\n\n') + '\n');
  }
  assert.ok(
    readSection(title).trimEnd() === wanted.trimEnd(),
    `docs/reference/conformance.md is out of date: WRITE_CONFORMANCE=1 npm run test:conformance writes "${title}"`,
  );
}

function sections(): string[] {
  return readFileSync(PAGE, 'utf8').split(/^(?=# )/m);
}

/** A table of the page. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** `3.1 to 3.7, 4.1.1` for ids in order. */
export function ranges(ids: readonly string[]): string {
  const runs: [first: string, last: string][] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run !== undefined && follows(run[1], id)) run[1] = id;
    else runs.push([id, id]);
  }
  return runs.map(([first, last]) => (first === last ? first : `${first} to ${last}`)).join(', ');
}

function follows(before: string, id: string): boolean {
  const [, prefix, number] = /^(.*\.)(\d+)$/.exec(before) ?? [];
  return id === `${prefix ?? ''}${Number(number) + 1}`;
}
