import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixMmapThreshold, releaseFreePages } from '../../../../src/sys/memory/allocator.ts';
import { nativeCalls } from '../../../../src/sys/native-calls.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';

const skip = unsupportedReason() ?? false;
const MIB = 1024 * 1024;
/**
 * Block size above the mmap threshold. A heap that cannot grow in place gets pieces of 1 MiB from glibc.
 * Several blocks must fit into one piece, or each block would start a piece and look separately mapped.
 */
const BLOCK_BYTES = 300 * 1024;
/** Below that limit. */
const SMALL_BYTES = 64 * 1024;
/** Offset in its first page at which glibc places a separately mapped block. */
const OFFSET = 16;

/** Allocates blocks. The first ones fill gaps in the heap. */
function take(): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: 100 }, () => new Uint8Array(BLOCK_BYTES));
}

/** Counts the blocks, of the last 20, that came from the system one by one. */
function apart(blocks: readonly Uint8Array[]): number {
  const { addressOf, pageSize } = nativeCalls();
  return blocks.slice(-20).filter((block) => addressOf(block) % pageSize() === OFFSET).length;
}

/** Returns the resident memory of the process. */
function residentBytes(): number {
  return process.memoryUsage.rss();
}

describe('the memory allocator', { skip }, () => {
  it('maps large blocks one by one, even after larger ones were freed', () => {
    new ArrayBuffer(16 * MIB).transfer(0);
    // Kept to the end: freed, they would be the gaps that the later ones fill.
    const before = take();
    assert.ok(apart(before) < 20, 'glibc left to itself does not');
    assert.ok(fixMmapThreshold());
    new ArrayBuffer(16 * MIB).transfer(0);
    const later = take();
    assert.equal(apart(later), 20);
    for (const { buffer } of [...before, ...later]) buffer.transfer(0);
  });

  it('returns free pages between used blocks', () => {
    const blocks = Array.from({ length: 200 }, () => new Uint8Array(SMALL_BYTES).fill(1));
    const before = residentBytes();
    for (const [index, { buffer }] of blocks.entries()) if (index % 10 !== 0) buffer.transfer(0);
    assert.equal(releaseFreePages(), true);
    const given = before - residentBytes();
    assert.ok(given > 5 * MIB, `${given} bytes were returned of ${180 * SMALL_BYTES}`);
    assert.ok(blocks[10]!.every((byte) => byte === 1));
  });
});
