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
    assert.match(missingBinary(process, directory)?.problem ?? '', /has no binary/);
    writeFileSync(join(directory, `uws_${platform}_${arch}_${versions.modules}.node`), '');
    assert.equal(missingBinary(process, directory), null);
  });

  it('is missing if the package is not installed, which npm can change', () => {
    assert.deepEqual(missingBinary(process, null), {
      problem: 'the package uWebSockets.js is not installed',
      remedy: 'install sluice without --omit=optional',
    });
  });

  it('is missing for a Node version that the package does not support, and Node 22 is the remedy', () => {
    const node24 = { ...process, versions: { ...process.versions, node: '24.1.0', modules: '137' } };
    assert.deepEqual(missingBinary(node24), {
      problem: `uWebSockets.js has no binary for Node 24.1.0 on ${process.platform} ${process.arch}`,
      remedy: 'use Node 22',
    });
  });

  it('is missing for a machine that the package does not support, whichever Node runs', () => {
    assert.deepEqual(missingBinary({ ...process, platform: 'freebsd' }), {
      problem: `uWebSockets.js has no binary for freebsd ${process.arch}`,
      remedy: null,
    });
  });

  it('is missing on musl: all binaries for Linux are linked with glibc', () => {
    const linux = { ...process, platform: 'linux' as const, arch: 'x64' as const };
    assert.deepEqual(
      missingBinary(linux, undefined, () => true),
      { problem: 'uWebSockets.js has no binary for musl (Alpine Linux)', remedy: 'use a Linux with glibc' },
    );
    assert.equal(
      missingBinary(linux, undefined, () => false),
      null,
    );
  });
});
