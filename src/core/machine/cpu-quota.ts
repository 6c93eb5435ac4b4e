/** The CPU quota of the process's control groups. os.availableParallelism() covers only some versions of them. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Reads a file; null if that fails. */
type Read = (file: string) => string | null;

const ROOT = '/sys/fs/cgroup';

/**
 * Returns the smallest quota of the process's control group and of all groups above it, in cores. Infinity
 * without a quota, and where the files are missing.
 *
 * Sources: cgroups(7), the kernel's admin-guide/cgroup-v2 (cpu.max) and scheduler/sched-bwc (cpu.cfs_*).
 */
export function readCpuQuota(read: Read = readOrNull): number {
  let quota = Infinity;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === '') continue;
    // Version 2 has one hierarchy without a list of controllers.
    const version2 = controllers === '';
    if (!version2 && !controllers.split(',').includes('cpu')) continue;
    const root = version2 ? ROOT : posix.join(ROOT, controllers);
    for (const group of groupsUpwards(path)) {
      const directory = posix.join(root, group);
      quota = Math.min(quota, version2 ? quota2(read, directory) : quota1(read, directory));
    }
  }
  return quota;
}

/**
 * Returns the group and all groups above it. A container may see a path of the host's in /proc, but its own
 * group as the root of the file system. So missing directories are normal.
 */
function groupsUpwards(path: string): string[] {
  const groups = [path];
  for (let group = path; group !== '/';) {
    group = posix.dirname(group);
    groups.push(group);
  }
  return groups;
}

/** Reads cpu.max: "QUOTA PERIOD" in microseconds, or "max PERIOD". */
function quota2(read: Read, directory: string): number {
  const [quota, period] = (read(posix.join(directory, 'cpu.max')) ?? '').trim().split(' ');
  return coresOf(Number(quota), Number(period));
}

/** Reads the two files of version 1. A quota of -1 means none. */
function quota1(read: Read, directory: string): number {
  const quota = Number(read(posix.join(directory, 'cpu.cfs_quota_us')) ?? NaN);
  return coresOf(quota, Number(read(posix.join(directory, 'cpu.cfs_period_us')) ?? NaN));
}

function coresOf(quota: number, period: number): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
