import { nativeCalls } from '../native-calls.ts';

const MADV_DONTNEED = 4;

/**
 * Returns the memory pages inside the bytes to the system. The bytes on these pages become 0. Keeps pages
 * that the bytes share with other memory.
 *
 * @param bytes private memory that is written before it is read again
 * @returns number of bytes returned to the system
 */
export function releasePages(bytes: ArrayBuffer): number {
  const calls = nativeCalls();
  const size = calls.pageSize();
  const address = calls.addressOf(new Uint8Array(bytes));
  const start = Math.ceil(address / size) * size;
  const end = Math.floor((address + bytes.byteLength) / size) * size;
  if (start >= end || calls.madvise(start, end - start, MADV_DONTNEED) !== 0) return 0;
  return end - start;
}
