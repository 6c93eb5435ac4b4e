/** The cores and the memory of the machine that the process may use, within the limits of a container. */
import { availableParallelism, totalmem } from 'node:os';
import { readCpuQuota } from './cpu-quota.ts';

/** Memory for each worker that `auto` starts. A worker starts with about 16 MiB, and its sessions need the rest. */
const BYTES_PER_WORKER = 64 * 2 ** 20;

interface Resources {
  readonly cores: number;
  /** CPU quota in cores; Infinity without one. */
  readonly quota: number;
  readonly memory: number;
}

/** Returns the memory that the process may use, in bytes: the machine's, or less in a container. */
export function availableMemory(): number {
  const constrained = process.constrainedMemory();
  // Without a limit, it is 0 or exceeds the machine's memory.
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * Returns the number of threads that `auto` starts: one for each whole core within the CPU quota, and at most
 * one for each 64 MiB of memory. At least one.
 *
 * The rest of a quota is for the primary: a thread more would stop all threads when the quota is used up.
 */
export function automaticThreads(resources: Partial<Resources> = {}): number {
  const { cores = availableParallelism(), quota = readCpuQuota(), memory = availableMemory() } = resources;
  return Math.max(1, Math.min(cores, Math.floor(quota), Math.floor(memory / BYTES_PER_WORKER)));
}
