import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CachedReads } from '../../../src/sys/cached-reads.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';

const CONTENT = Buffer.from(Uint8Array.from({ length: 10_000 }, (_, index) => index % 251));

describe('reads of cached files', { skip: unsupportedReason() ?? false }, () => {
  let directory: string;
  let fd: number;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-cached-'));
    writeFileSync(join(directory, 'file'), CONTENT);
    fd = openSync(join(directory, 'file'), 'r');
  });
  after(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  it('give the bytes of the file, or none', () => {
    const reads = new CachedReads(4096);
    for (const [position, length] of [
      [0, 4096],
      [5000, 1],
      [9000, 4096],
    ] as const) {
      const read = reads.read(fd, length, position);
      const wanted = CONTENT.subarray(position, position + length);
      // Some file systems do not know which bytes are in memory.
      if (read === -1) continue;
      assert.ok(reads.bytes.subarray(0, read).equals(wanted));
    }
    assert.ok(reads.read(fd, 1, CONTENT.length) <= 0);
  });

  it('read nothing from what is not a file', () => {
    const reads = new CachedReads(16);
    const folder = openSync(directory, 'r');
    assert.equal(reads.read(folder, 16, 0), -1);
    closeSync(folder);
  });

  it('refuse a read without room, and a bad descriptor', () => {
    const reads = new CachedReads(16);
    for (const length of [0, -1, 17, 1.5, NaN]) assert.throws(() => reads.read(fd, length, 0), RangeError);
    assert.throws(() => reads.read(-1, 1, 0), RangeError);
  });
});
