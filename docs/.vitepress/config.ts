/** The site of the documents: `npm run docs` builds it into `docs/.vitepress/dist`, without requests to other sites. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { defineConfig, type DefaultTheme } from 'vitepress';
import { siteLink } from './links.ts';

const DOCS = resolve(import.meta.dirname, '..');

export default defineConfig({
  title: 'sluice',
  description: 'A WebSocket edge proxy and load balancer',
  cleanUrls: false,
  themeConfig: {
    nav: [
      { text: 'Get started', link: '/getting-started' },
      { text: 'Configuration', link: '/reference/configuration' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
    ],
    sidebar: [
      group('Start here', pagesOf('.', ['index.md', 'getting-started.md'])),
      group('Guides', pagesOf('guides')),
      group('Operations', pagesOf('operations')),
      group('Reference', pagesOf('reference')),
      group('Benchmarks', pagesOf('benchmarks')),
      { ...group('Internals', pagesOf('internals')), collapsed: true },
      { ...group('Decisions', pagesOf('decisions')), collapsed: true },
    ],
    outline: [2, 3],
    search: { provider: 'local' },
  },
  markdown: {
    config: (markdown) => {
      markdown.core.ruler.push('repository-links', ({ env, tokens }) => {
        const { relativePath } = env as { relativePath: string };
        if (relativePath.startsWith('files/')) return;
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const link = token.type === 'link_open' ? token.attrGet('href') : null;
          if (link !== null) token.attrSet('href', siteLink(posix.join('docs', relativePath), link));
        }
      });
    },
  },
});

/** Returns the pages of a folder by name, some of them first. */
function pagesOf(folder: string, first: readonly string[] = ['index.md']): string[] {
  const path = join(DOCS, folder);
  const names = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.md')) : [];
  const rest = names.filter((name) => !first.includes(name)).sort();
  return [...first.filter((name) => names.includes(name)), ...rest].map((name) => posix.join(folder, name));
}

/** Returns a group of the sidebar, which names each page by its title. */
function group(text: string, pages: readonly string[]): DefaultTheme.SidebarItem {
  const items = pages.map((page) => ({
    text: /^# (.+)$/mu.exec(readFileSync(join(DOCS, page), 'utf8'))?.[1]?.replaceAll('`', '') ?? page,
    link: `/${page.replace(/\.md$/u, '')}`,
  }));
  return { text, items };
}
