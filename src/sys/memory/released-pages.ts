import { nativeCalls } from '../native-calls.ts';

const MADV_DONTNEED = 4;

/**
 * Returns the memory pages inside the bytes to the system. The bytes on these pages become 0. Pages that the bytes share
 * with other memory stay.
 *
 * @param bytes in private memory that no one reads again before writing it
 * @returns the number of returned bytes
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
