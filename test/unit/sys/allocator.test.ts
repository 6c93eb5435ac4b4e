import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keepLargeBlocksApart } from '../../../src/sys/allocator.ts';
import { nativeCalls } from '../../../src/sys/native-calls.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';

const skip = unsupportedReason() ?? false;
const MIB = 1024 * 1024;
/** glibc puts a block of its own this far into its first page. */
const OFFSET = 16;

/** Of 100 blocks of 512 KiB, how many of the last 20 were taken from the system one by one; the first fill gaps. */
function apart(): number {
  const { addressOf, pageSize } = nativeCalls();
  const blocks = Array.from({ length: 100 }, () => new Uint8Array(MIB / 2));
  const count = blocks.slice(-20).filter((block) => addressOf(block) % pageSize() === OFFSET).length;
  for (const { buffer } of blocks) buffer.transfer(0);
  return count;
}

describe('the memory allocator', { skip }, () => {
  it('takes large blocks from the system one by one, also after larger ones were freed', () => {
    new ArrayBuffer(16 * MIB).transfer(0);
    assert.ok(apart() < 20, 'glibc left to itself does not');
    assert.ok(keepLargeBlocksApart());
    new ArrayBuffer(16 * MIB).transfer(0);
    assert.equal(apart(), 20);
  });
});
