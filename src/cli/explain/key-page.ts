/** The text of `sluice explain`. */
import { stringify } from 'yaml';
import { wrap } from '../wrap.ts';
import type { KnownKey, KnownKeys } from './known-keys.ts';

/** Max columns of a name in a list. */
const MAX_NAME_COLUMNS = 28;
/** Columns of the name of a fact. */
const FACT_COLUMNS = 15;
const INDENT = '  ';

/** Returns everything about one key. */
export function keyPage(keys: KnownKeys, key: KnownKey): string {
  const facts = [
    ['Type', key.type],
    ['Default', key.default],
    ['Layer', key.layers?.length === 1 ? `${key.layers[0]} only` : key.layers?.join(' and ')],
    ['Engines', key.engines],
    ['Environment', key.environment],
    ['Guide', key.guide],
    ['Since', key.since],
  ] as const;
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [row(name, value, FACT_COLUMNS)],
  );
  const children = keys.children(key);
  return [
    `${key.path}\n`,
    `${INDENT}${wrap(key.text, INDENT.length)}\n`,
    ...(lines.length === 0 ? [] : [lines.join('')]),
    ...(key.example === undefined ? [] : [`Example:\n${exampleOf(keys, key)}`]),
    ...(children.length === 0
      ? []
      : [
          rows(
            'Keys',
            children.map(({ path, text }) => [path.slice(path.lastIndexOf('.') + 1), text] as const),
          ),
        ]),
  ].join('\n');
}

/** Returns a row for each key, with the beginning of its text. */
export function keyList(found: readonly KnownKey[], title: string): string {
  return rows(
    title,
    found.map(({ path, text }) => [path, beginningOf(text)] as const),
  );
}

function rows(title: string, entries: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + INDENT.length + 2;
  const column = Math.min(width, MAX_NAME_COLUMNS);
  return `${title}:\n${entries.map(([name, text]) => row(name, text, column)).join('')}`;
}

function row(name: string, text: string, column: number): string {
  const label = `${INDENT}${name}`;
  const start = label.length + 2 <= column ? label.padEnd(column) : `${label}\n${' '.repeat(column)}`;
  return `${start}${wrap(text, column)}\n`;
}

/** Returns the first sentence, or all if the text explains a word in each sentence: `"tcp": ...`. */
function beginningOf(text: string): string {
  if (text.startsWith('"')) return text;
  return /^.*?[.](?= [A-Z0-9"]|$)/s.exec(text)?.[0] ?? text;
}

/** Returns the key with a value, inside the mappings and lists around it. */
function exampleOf(keys: KnownKeys, { path, example }: KnownKey): string {
  const names = path.split('.');
  const value = names.reduceRight<unknown>((below, name, index) => {
    const here = names.slice(0, index + 1).join('.');
    const isAround = index < names.length - 1;
    return { [name]: isAround && keys.isList(here) ? [below] : below };
  }, example);
  const text = stringify(value, { singleQuote: true, lineWidth: 0 });
  return text.replaceAll(/^(?=.)/gm, INDENT);
}
