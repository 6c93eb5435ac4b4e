import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { missingBinary } from '../../../../src/l7/uws/process-settings.ts';

describe('the binary of uWebSockets.js', () => {
  it('exists for this process', () => {
    assert.equal(missingBinary(), null);
  });

  it('is found in the official package, beside its code', (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-uws-'));
    context.after(() => rmSync(directory, { recursive: true }));
    const { platform, arch, versions } = process;
    assert.match(missingBinary(process, directory) ?? '', /has no binary/);
    writeFileSync(join(directory, `uws_${platform}_${arch}_${versions.modules}.node`), '');
    assert.equal(missingBinary(process, directory), null);
  });

  it('is missing if the package is not installed', () => {
    assert.equal(missingBinary(process, null), 'the package uWebSockets.js is not installed');
  });

  it('is missing for a Node version or machine that the package does not support', () => {
    const node24 = { ...process, versions: { ...process.versions, node: '24.1.0', modules: '137' } };
    assert.equal(
      missingBinary(node24),
      `uWebSockets.js has no binary for Node 24.1.0 on ${process.platform} ${process.arch}`,
    );
    assert.equal(
      missingBinary({ ...process, platform: 'freebsd' }),
      `uWebSockets.js has no binary for Node ${process.versions.node} on freebsd ${process.arch}`,
    );
  });
});
