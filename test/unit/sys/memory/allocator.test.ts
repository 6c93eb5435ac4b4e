import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keepLargeBlocksApart } from '../../../../src/sys/memory/allocator.ts';
import { nativeCalls } from '../../../../src/sys/native-calls.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';

const skip = unsupportedReason() ?? false;
const MIB = 1024 * 1024;
/**
 * Above the limit from which blocks come apart. If the heap cannot grow where it is, glibc takes pieces of 1 MiB for it. Several
 * blocks must fit into such a piece, or each would begin one, and look like a block of its own.
 */
const BLOCK_BYTES = 300 * 1024;
/** glibc puts a block of its own this far into its first page. */
const OFFSET = 16;

/** Takes blocks, of which the first fill gaps in the heap. */
function take(): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: 100 }, () => new Uint8Array(BLOCK_BYTES));
}

/** Counts the blocks, of the last 20, that came from the system one by one. */
function apart(blocks: readonly Uint8Array[]): number {
  const { addressOf, pageSize } = nativeCalls();
  return blocks.slice(-20).filter((block) => addressOf(block) % pageSize() === OFFSET).length;
}

describe('the memory allocator', { skip }, () => {
  it('takes large blocks from the system one by one, also after larger ones were freed', () => {
    new ArrayBuffer(16 * MIB).transfer(0);
    // Kept to the end: freed, they would be the gaps that the later ones fill.
    const before = take();
    assert.ok(apart(before) < 20, 'glibc left to itself does not');
    assert.ok(keepLargeBlocksApart());
    new ArrayBuffer(16 * MIB).transfer(0);
    const later = take();
    assert.equal(apart(later), 20);
    for (const { buffer } of [...before, ...later]) buffer.transfer(0);
  });
});
