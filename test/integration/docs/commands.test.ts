/** The commands of the documents run as written. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { blocksOf, documents } from '../../support/documents/blocks.ts';
import { canIsolate, isRunnable, runPage } from '../../support/documents/page-run.ts';

const skip = canIsolate() ? false : 'the machine allows no namespaces';
const PAGES = documents().filter((page) => blocksOf(page).some(isRunnable));

describe('commands of the documents', { concurrency: 2, timeout: 600_000 }, () => {
  const authority = new CertificateAuthority();
  after(() => authority.remove());

  it('are found', () => assert.ok(PAGES.length > 20, `${PAGES.length} pages`));

  for (const page of PAGES) it(`run in ${page}`, { skip }, () => runPage(blocksOf(page), authority));
});
