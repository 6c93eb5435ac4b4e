/** CPU and memory of processes, read from /proc: Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** Unit of the times in /proc/PID/stat. */
const TICK_MS = 10;
/** Max threads to read one by one. Reading more would take longer than a clock tick. */
const MAX_THREADS = 64;

/** Returns the ids of a process and all its descendants. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[1]);
    if (!Number.isInteger(parent)) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Returns the user and system CPU of processes since they started, over all threads, in milliseconds. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (scheduledMs(pid) ?? ticksMs(pid)), 0);
}

/** Returns the memory of processes in bytes. Divides shared pages among the processes that share them. */
export function memoryOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kibibytes(pid) * 1024, 0);
}

/** Returns the resident memory of a process in bytes, including shared pages; 0 if the process has ended. */
export function residentOf(pid: number): number {
  return (readKibibytes(pid, 'status', /^VmRSS:\s+(\d+)/m) ?? 0) * 1024;
}

/**
 * Returns the CPU time from the scheduler in milliseconds, with nanosecond resolution. Null if the kernel has
 * none or the process has too many threads.
 */
function scheduledMs(pid: number): number | null {
  try {
    let nanoseconds = 0;
    const threads = readdirSync(`/proc/${pid}/task`);
    if (threads.length > MAX_THREADS) return null;
    for (const thread of threads) {
      const [ran = ''] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      nanoseconds += Number(ran);
    }
    return nanoseconds > 0 ? nanoseconds / 1e6 : null;
  } catch {
    return null;
  }
}

function ticksMs(pid: number): number {
  const stat = statOf(pid);
  return stat === null ? 0 : (Number(stat[11]) + Number(stat[12])) * TICK_MS;
}

/** Returns the fields of /proc/PID/stat, starting at the third. Null if the process has ended. */
function statOf(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses, and may hold any character.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function kibibytes(pid: number): number {
  return (
    readKibibytes(pid, 'smaps_rollup', /^Pss:\s+(\d+)/m) ??
    readKibibytes(pid, 'status', /^VmRSS:\s+(\d+)/m) ??
    0
  );
}

/** Reads a number from a file in /proc/PID. Null if the process has ended or the file may not be read. */
function readKibibytes(pid: number, file: string, line: RegExp): number | null {
  try {
    const match = line.exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}
