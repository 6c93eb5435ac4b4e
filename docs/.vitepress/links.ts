/** Translates links between files of the repository into links between pages of the site. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join, posix, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGES = join(ROOT, 'docs');
/** Images stay files. */
const IMAGE = /\.(png|svg|ico)$/u;

/**
 * Returns the target of a link on the site. Pages of `docs/` keep their paths, other files become pages in `files/`.
 *
 * @param page path of the page with the link, from the root of the repository
 * @param link as written in the page
 */
export function siteLink(page: string, link: string): string {
  if (/^([a-z]+:|#|\/)/iu.test(link) || link === '') return link;
  const [path = '', heading] = link.split('#', 2);
  const target = posix.join(posix.dirname(page), path).replace(/\/$/u, '');
  if (IMAGE.test(target)) return link;
  const anchor = heading === undefined ? '' : `#${heading}`;
  if (target.startsWith('docs/') && target.endsWith('.md'))
    return `/${target.slice('docs/'.length)}${anchor}`;
  return `/files/${pageName(target)}.md${anchor}`;
}

/** Returns the name of a file's page. It has no dots: VitePress would take the last part for a file type. */
function pageName(path: string): string {
  return path.replace(/\.md$/u, '').replaceAll('.', '-');
}

/** A page that shows a file or folder outside of `docs/`. */
export interface FilePage {
  readonly params: { readonly path: string; readonly title: string };
  readonly content: string;
}

/** Returns a page for each linked file and folder outside of `docs/`, and for the targets of their links. */
export function filePages(): FilePage[] {
  const pages = new Map<string, FilePage>();
  const queue = readdirSync(PAGES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(\.vitepress|files)\//u.test(name))
    .map((name) => posix.join('docs', name));
  for (let page = queue.pop(); page !== undefined; page = queue.pop()) {
    for (const target of outsideTargets(page)) {
      if (pages.has(target)) continue;
      const params = { path: pageName(target), title: target };
      pages.set(target, { params, content: contentOf(target) });
      if (target.endsWith('.md')) queue.push(target);
    }
  }
  return [...pages.values()];
}

function outsideTargets(page: string): string[] {
  return Array.from(readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)\s#]+)/gu), ([, link]) => link!)
    .filter((link) => !/^([a-z]+:|\/)/iu.test(link))
    .map((link) => posix.join(posix.dirname(page), link).replace(/\/$/u, ''))
    .filter((target) => !target.startsWith('docs/') && !IMAGE.test(target) && existsSync(join(ROOT, target)));
}

function contentOf(path: string): string {
  const full = join(ROOT, path);
  if (statSync(full).isDirectory()) {
    const files = readdirSync(full, { withFileTypes: true }).filter((entry) => entry.isFile());
    const parts = files.map(({ name }) => `## ${name}\n\n${blockOf(join(full, name))}`);
    return [`# ${path}`, ...parts].join('\n\n');
  }
  if (!path.endsWith('.md')) return `# ${path}\n\n${blockOf(full)}`;
  const text = readFileSync(full, 'utf8');
  return text.replace(
    /(\]\()([^)\s]+)\)/gu,
    (_, start: string, link: string) => `${start}${siteLink(path, link)})`,
  );
}

/** Max characters of a shown file. */
const MAX_SHOWN = 60_000;

function blockOf(file: string): string {
  const text = readFileSync(file, 'utf8');
  if (text.length > MAX_SHOWN) return `${String(text.length)} characters: see the file in the repository.`;
  const language = { '.yaml': 'yaml', '.yml': 'yaml', '.json': 'json', '.ts': 'ts' }[extname(file)] ?? 'text';
  return `\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\``;
}
