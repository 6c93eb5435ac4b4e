import { nativeCalls } from '../native-calls.ts';
import { unsupportedReason } from '../support.ts';

const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
/** Min size of blocks that come from the system. Smaller blocks come and go too often for system calls. */
const MIN_APART_BYTES = 256 * 1024;
/** Max free memory that stays at the end of an arena. */
const MAX_FREE_BYTES = 1024 * 1024;

/**
 * Makes glibc take blocks of 256 KiB and more from the system, and return each when it is freed, in the whole process. By
 * default glibc raises that size to 32 MiB when such blocks are freed, and keeps up to 64 MiB per thread (mallopt(3)). An
 * operator's MALLOC_MMAP_THRESHOLD_ stays in force. Throws if system calls are not supported.
 *
 * @returns whether glibc took both limits
 */
export function keepLargeBlocksApart(): boolean {
  const { mallopt } = nativeCalls();
  if (mallopt === null || process.env.MALLOC_MMAP_THRESHOLD_ !== undefined) return false;
  return mallopt(M_MMAP_THRESHOLD, MIN_APART_BYTES) === 1 && mallopt(M_TRIM_THRESHOLD, MAX_FREE_BYTES) === 1;
}

/**
 * Gives back the free pages inside the arenas of all threads. By itself glibc gives back the end of an arena only, and a worker's
 * start leaves 2 MB of 5 free between blocks in use: V8 compiles in such memory. A thread that allocates waits while its arena
 * is swept, which takes a few milliseconds. So this is for the end of a start.
 *
 * @returns whether there were such pages; false also without glibc or system calls
 */
export function releaseFreePages(): boolean {
  if (unsupportedReason() !== null) return false;
  const { mallocTrim } = nativeCalls();
  return mallocTrim !== null && mallocTrim(0) === 1;
}
