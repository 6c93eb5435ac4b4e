/** Links of the documents lead to files that exist, in the repository and in the package. Paths in code spans exist, too. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative, resolve } from 'node:path';
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
/** Pages about the source. Their code spans name its files and folders, by the end of the path. */
const SOURCE_PAGES = ['ARCHITECTURE.md', 'CONTRIBUTING.md', ...pagesOf('docs/internals')];
const SOURCES = ['src', 'bench', 'test', 'scripts', 'config', 'deploy', 'docs'];
/** Not in the repository: built, or to be written by the reader. */
const ABSENT = ['dist/', 'bench/report/index.html', 'test/unit/upstream/balancers/NAME.test.ts'];
const LINKS = PAGES.flatMap(linksOf);

describe('links of the documents', () => {
  it('are there', () => assert.ok(LINKS.length > 10));

  it('lead to files that exist', () =>
    assert.deepEqual(
      LINKS.filter(({ target }) => !existsSync(join(ROOT, target))),
      [],
    ));

  it('lead to headings that exist', () =>
    assert.deepEqual(
      LINKS.filter(
        ({ target, anchor }) =>
          anchor !== '' && existsSync(join(ROOT, target)) && !anchorsOf(target).includes(anchor),
      ),
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

describe('pages about the source', () => {
  it('name files and folders that exist', () => {
    const paths = SOURCES.flatMap((directory) => [
      `/${directory}/`,
      ...readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true }).map(
        (entry) => `/${relative(ROOT, join(entry.parentPath, entry.name))}${entry.isDirectory() ? '/' : ''}`,
      ),
    ]);
    const missing = SOURCE_PAGES.flatMap((page) =>
      Array.from(readFileSync(join(ROOT, page), 'utf8').matchAll(/`([\w./-]+(?:\.ts|\.md|\.html|\/))`/g))
        .map(([, name]) => name!)
        .filter((name) => !ABSENT.includes(name) && !paths.some((path) => path.endsWith(`/${name}`)))
        .map((name) => ({ page, name })),
    );
    assert.deepEqual(missing, []);
  });
});

function pagesOf(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join(directory, name));
}

interface Link {
  readonly page: string;
  /** Path from the root. */
  readonly target: string;
  /** Empty for the whole page. */
  readonly anchor: string;
}

/** Returns the links of a page, except links to other sites. */
function linksOf(page: string): Link[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return Array.from(text.matchAll(/\]\(([^)\s#]*)(?:#([^)\s]+))?[^)]*\)/g), ([, path = '', anchor = '']) => ({
    path,
    anchor,
  }))
    .filter(({ path, anchor }) => !/^[a-z]+:/.test(path) && path + anchor !== '')
    .map(({ path, anchor }) => ({
      page,
      target: path === '' ? page : posix.join(posix.dirname(page), path),
      anchor,
    }));
}

/** Returns the anchors of a page's headings, as GitHub makes them, and explicit ones. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^```[^]*?^```/gm, '');
  const seen = new Map<string, number>();
  const headings = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title]) => {
    const slug = title!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return [...headings, ...Array.from(text.matchAll(/<a (?:id|name)="([^"]+)"/g), ([, id]) => id!)];
}
