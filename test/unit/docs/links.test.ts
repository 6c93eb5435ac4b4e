/** Links between the documents lead to files that exist, in the repository and in the package. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../../..');
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...pagesOf('docs'),
];
/** npm packs these without being told. */
const ALWAYS_PACKED = ['README.md', 'LICENSE', 'package.json'];
const LINKS = PAGES.flatMap((page) => linksOf(page).map((target) => ({ page, target })));

describe('links of the documents', () => {
  it('are there', () => assert.ok(LINKS.length > 10));

  it('lead to files that exist', () =>
    assert.deepEqual(
      LINKS.filter(({ target }) => !existsSync(join(ROOT, target))),
      [],
    ));

  it('lead to files of the package', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
    const packed = [...ALWAYS_PACKED, ...manifest.files];
    const isPacked = (path: string): boolean =>
      packed.some((entry) => path === entry || path.startsWith(`${entry}/`));
    assert.deepEqual(
      LINKS.filter(({ page, target }) => isPacked(page) && !isPacked(target)),
      [],
    );
    assert.deepEqual(
      PAGES.filter((page) => !isPacked(page)),
      [],
    );
  });
});

function pagesOf(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join(directory, name));
}

/** Returns the paths from the root that a page links to, without links to other sites and to its own headings. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const targets = Array.from(text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g), ([, target]) => target!);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => posix.join(posix.dirname(page), target));
}
