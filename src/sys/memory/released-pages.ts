import { nativeCalls } from '../native-calls.ts';

const MADV_DONTNEED = 4;

/**
 * Gives the memory pages inside the bytes back to the system; the bytes on these pages become 0. Pages that the bytes
 * share with anything else stay as they are.
 *
 * @param bytes in private memory that no one reads again before writing it
 * @returns the number of bytes given back
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
