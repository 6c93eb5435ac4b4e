import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much larger than what lives in it V8 lets a heap become before it collects all garbage. */
const MAX_GROWTH_PERCENT = 25;

/**
 * Bounds the garbage in the heaps of all threads that start from now on, and of this one. By default V8 lets a heap grow to four
 * times of what lives in it: each reload of a large configuration leaves some megabytes of garbage in each thread, and 50 of
 * them doubled the memory of the process. V8 marks in small steps, most of them beside the thread, so that no collection holds
 * the thread for long.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${MAX_GROWTH_PERCENT}`);
}

/**
 * Lets the threads that start from now on call V8's built-in functions where Node's file has them. By default V8 maps 2 MB of that
 * file once more next to the code of each thread, for shorter calls, which count as memory of the process. Neither requests nor
 * messages took measurably more CPU time without them.
 */
export function shareBuiltins(): void {
  setFlagsFromString('--no-short-builtin-calls');
}

/** V8's function for tests. The result of a call with `execution: 'sync'` is undefined. */
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => unknown;

/**
 * Gives back the memory that the start of a thread has used: loading modules, a configuration and a warm-up let V8's young
 * generation grow to 16 MB and more, and V8 collects nothing from a thread that waits for its first client. The collection
 * takes 40 to 80 ms, so it must precede the first client. Compiled code stays. The young generation may grow again under load:
 * a smaller limit would cost up to 20% of the CPU time of a request.
 *
 * The flag makes V8 add the function to contexts that are made later. It stays set, because other threads may be here, too.
 *
 * @returns whether memory could be collected
 */
export function releaseHeap(): boolean {
  try {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as Collect;
    // The last resort is the one collection that makes the young generation smaller.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    return true;
  } catch {
    // A V8 without the function: the thread serves as well, with more memory.
    return false;
  }
}
