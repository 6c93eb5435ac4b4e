/** The site of the documents has a page for each target of a link. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filePages, siteLink } from '../../../docs/.vitepress/links.ts';

describe('links of the site', () => {
  it('keep the paths of pages, with their headings', () => {
    assert.equal(siteLink('docs/guides/tls.md', '../reference/metrics.md#tls'), '/reference/metrics.md#tls');
    assert.equal(siteLink('README.md', 'docs/engines.md'), '/engines.md');
  });

  it('lead to pages that show other files and folders', () => {
    assert.equal(
      siteLink('docs/guides/tls.md', '../../config/example.yaml'),
      '/files/config/example-yaml.md',
    );
    assert.equal(siteLink('docs/operations/start.md', '../../deploy/'), '/files/deploy.md');
    assert.equal(siteLink('docs/engines.md', '../ARCHITECTURE.md#threads'), '/files/ARCHITECTURE.md#threads');
  });

  it('stay the same within a page, to images and to other sites', () => {
    for (const link of ['#heading', 'https://example.com/a.md', 'mailto:a@example.com', 'page.png'])
      assert.equal(siteLink('docs/a.md', link), link);
  });

  it('have a page for each file outside of docs, whose links work too', () => {
    const pages = filePages();
    const architecture = pages.find(({ params }) => params.title === 'ARCHITECTURE.md');
    assert.ok(architecture !== undefined);
    assert.match(architecture.content, /\]\(\/engines\.md\)|\]\(\/decisions\//);
    const folder = pages.find(({ params }) => params.title.startsWith('deploy/'));
    assert.match(folder!.content, /^# deploy\/[\s\S]*\n````\w+\n/);
    const paths = pages.map(({ params }) => params.path);
    assert.deepEqual([...new Set(paths)], paths);
    assert.ok(paths.every((path) => !path.includes('.')));
  });
});
