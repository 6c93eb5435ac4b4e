import { nativeCalls } from '../native-calls.ts';
import { unsupportedReason } from '../support.ts';

const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
/** Min size of blocks allocated from the system. Smaller blocks change too often for system calls. */
const MMAP_THRESHOLD_BYTES = 256 * 1024;
/** Max free memory at the end of an arena. */
const TRIM_THRESHOLD_BYTES = 1024 * 1024;

/**
 * Makes glibc allocate blocks of 256 KiB and more from the system, and return each when it is freed, in the
 * whole process. By default glibc raises this size up to 32 MiB as such blocks are freed, and keeps up to 64
 * MiB per thread (mallopt(3)). An operator's MALLOC_MMAP_THRESHOLD_ takes precedence.
 *
 * @returns whether glibc accepted both limits
 * @throws Error if system calls are not supported
 */
export function fixMmapThreshold(): boolean {
  const { mallopt } = nativeCalls();
  if (mallopt === null || process.env.MALLOC_MMAP_THRESHOLD_ !== undefined) return false;
  return (
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES) === 1 &&
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES) === 1
  );
}

/**
 * Returns the free pages inside all threads' arenas to the system. glibc itself returns only the end of an
 * arena. A worker's start leaves 2 MB of 5 free between used blocks, because V8 compiles in that memory.
 * Sweeping an arena takes a few milliseconds, in which allocating threads wait. So call this at the end of a
 * start.
 *
 * @returns whether there were such pages; false without glibc or system calls
 */
export function releaseFreePages(): boolean {
  if (unsupportedReason() !== null) return false;
  const { mallocTrim } = nativeCalls();
  return mallocTrim !== null && mallocTrim(0) === 1;
}
