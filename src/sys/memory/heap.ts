import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Max growth of a V8 heap over its live objects before a full garbage collection. */
const MAX_GROWTH_PERCENT = 25;

/**
 * Limits garbage in the heaps of this thread and of threads started later. By default V8 lets a heap grow to
 * four times its live objects. Each reload of a large configuration leaves some megabytes of garbage in each
 * thread, and 50 reloads doubled the memory of the process. V8 marks in small steps, mostly on other threads,
 * so no collection blocks the thread for long.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${MAX_GROWTH_PERCENT}`);
}

/**
 * Lets threads started later call V8's built-in functions inside Node's mapped file. By default V8 maps
 * another 2 MB of that file next to each thread's code, for shorter calls, and this counts as process memory.
 * Neither requests nor messages took measurably more CPU time without it.
 */
export function shareBuiltins(): void {
  setFlagsFromString('--no-short-builtin-calls');
}

/** V8's function for tests. With `execution: 'sync'` it returns undefined. */
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => unknown;

/**
 * Returns the memory that a thread's start used. Loading modules, a configuration and a warm-up grow V8's
 * young generation to 16 MB and more. V8 collects nothing from a thread that waits for its first client. The
 * collection takes 40 to 80 ms, so it must precede the first client. Compiled code stays. The young
 * generation may grow again under load: a smaller limit would cost up to 20% of a request's CPU time.
 *
 * The flag makes V8 add the function to contexts created later. It stays set, because other threads may be
 * running this code.
 *
 * @returns whether memory could be collected
 */
export function releaseHeap(): boolean {
  try {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as Collect;
    // Only a last-resort collection shrinks the young generation.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    return true;
  } catch {
    // V8 lacks the function: the thread works with more memory.
    return false;
  }
}
