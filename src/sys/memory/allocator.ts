import { nativeCalls } from '../native-calls.ts';

const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
/** Smaller blocks come and go too often for system calls. */
const MIN_APART_BYTES = 256 * 1024;
/** Free memory at the end of an arena that stays. */
const MAX_FREE_BYTES = 1024 * 1024;

/**
 * Has glibc take blocks from 256 KiB on from the system, and give each back when it is freed, in the whole process.
 * Left to itself it raises that size to 32 MiB as such blocks are freed, and keeps up to 64 MiB a thread (mallopt(3)).
 * An operator's own MALLOC_MMAP_THRESHOLD_ stays in force. Throws if system calls are not supported.
 *
 * @returns whether it is so now
 */
export function keepLargeBlocksApart(): boolean {
  const { mallopt } = nativeCalls();
  if (mallopt === null || process.env.MALLOC_MMAP_THRESHOLD_ !== undefined) return false;
  return mallopt(M_MMAP_THRESHOLD, MIN_APART_BYTES) === 1 && mallopt(M_TRIM_THRESHOLD, MAX_FREE_BYTES) === 1;
}
