/** Every configuration in the documents passes `sluice check`, and so does what `print-config` makes of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../../../src/config/loader.ts';
import { renderConfig } from '../../../src/config/render.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { blocksOf, documents } from '../../support/documents/blocks.ts';
import { completed, isConfiguration, makeFiles } from '../../support/documents/config-blocks.ts';

describe('configurations in the documents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-documents-'));
  const authority = new CertificateAuthority();
  after(() => {
    rmSync(folder, { recursive: true });
    authority.remove();
  });
  const env = {
    SLUICE_ADMIN_TOKEN: 'a-token-of-the-operator-for-the-test',
    REDIS_PASSWORD: 'a-password-for-the-test',
  };
  let count = 0;

  for (const page of documents()) {
    for (const block of blocksOf(page).filter(isConfiguration)) {
      count++;
      it(`passes the check in ${page}, line ${block.line}`, () => {
        const own = mkdtempSync(join(folder, 'page-'));
        const file = join(own, 'sluice.yaml');
        const code = completed(block.code);
        writeFileSync(file, code);
        makeFiles(code, own, authority);
        const loaded = loadConfig({ file, overrides: [], env });
        writeFileSync(file, renderConfig(loaded));
        assert.deepEqual(loadConfig({ file, overrides: [], env }).config, loaded.config);
      });
    }
  }

  it('need no other file in the README, so that a newcomer can check the first one', () => {
    const own = mkdtempSync(join(folder, 'readme-'));
    const [block] = blocksOf('README.md').filter(isConfiguration);
    assert.ok(block !== undefined);
    const file = join(own, 'sluice.yaml');
    writeFileSync(file, block.code);
    assert.deepEqual(loadConfig({ file, overrides: [], env: {} }).warnings, []);
  });

  it('are found', () => assert.ok(count > 40, `${count} configurations`));
});
