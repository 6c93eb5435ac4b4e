/** The pages for operators quote the source: names of metrics, and the texts of refusals and close frames. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../../..');
const PAGES = ['.', 'guides', 'operations'].flatMap((folder) =>
  readdirSync(join(ROOT, 'docs', folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', folder, name)),
);
const METRIC = /\bsluice_[a-z0-9_]*[a-z0-9]/g;
/** Texts of more than one word in code spans, without commands and settings. */
const TEXT = /`([A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)+)`/g;

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Returns the source on one line, so that a text may be cut by a line end. */
function source(): string {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const texts = files.filter((name) => name.endsWith('.ts')).map((name) => read(join('src', name)));
  return texts.join('\n').replaceAll(/\s+/g, ' ');
}

/** Returns the lines of the tables below the headings. */
function tablesOf(page: string, headings: readonly string[]): string {
  const sections = read(page).split('\n## ');
  const wanted = sections.filter((section) => headings.some((heading) => section.startsWith(heading)));
  assert.equal(wanted.length, headings.length);
  return wanted
    .flatMap((section) => section.split('\n'))
    .filter((line) => line.startsWith('|'))
    .join('\n');
}

describe('the pages for operators', () => {
  it('name metrics that exist', () => {
    const known = read('docs/reference/metrics.md');
    const unknown = PAGES.flatMap((page) =>
      Array.from(read(page).matchAll(METRIC), ([name]) => ({ page, name })),
    ).filter(({ name }) => !known.includes(name.replace(/_(bucket|count|sum)$/, '')));
    assert.deepEqual(unknown, []);
  });

  it('quote the texts of refusals and close frames as they are sent', () => {
    const tables = tablesOf('docs/troubleshooting.md', ['Statuses', 'Close codes of WebSockets']);
    const quotes = Array.from(tables.matchAll(TEXT), ([, text = '']) => text);
    assert.ok(quotes.length > 30);
    const sent = source();
    assert.deepEqual(
      // The kind of a limit is a part of the text.
      quotes.filter((text) => !sent.includes(text) && !sent.includes(text.replace(/ \w+$/, ' ${kind}'))),
      [],
    );
  });
});
