/** Facts and limits of a process, from Linux. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ, which Linux has had for ever. */
const TICKS_PER_SECOND = 100;

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`no VmRSS of process ${pid}`);
  return Number(kibibytes) * 1024;
}

/** CPU time that all its threads have used, in seconds. */
export function cpuSeconds(pid: number): number {
  // Behind the name, which may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Open file descriptors. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

const READINGS = 10;
const READING_PAUSE_MS = 10;

/**
 * Leaves a process no descriptor more than it has; returns what gives it its limit back. Looks several times, because a
 * probe that is just being made holds a descriptor for a moment.
 */
export function exhaustDescriptors(pid: number): () => void {
  const limit = (soft: number | string): void => {
    execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:`]);
  };
  const before = execFileSync('prlimit', [`--pid=${pid}`, '--nofile', '--noheadings', '--output=SOFT']);
  let lowest = Infinity;
  for (let reading = 0; reading < READINGS; reading++) {
    lowest = Math.min(lowest, lowestFree(pid));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READING_PAUSE_MS);
  }
  limit(lowest);
  return () => limit(before.toString().trim());
}

/** The number that the next descriptor of a process will have. */
function lowestFree(pid: number): number {
  const numbers = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (numbers.has(free)) free++;
  return free;
}

/**
 * Returns the bytes of an IPv4 connection that arrived at the end at `port` and that the process has not
 * read. Null if no connection has these ports.
 */
export function unreadBytes(port: number, remotePort: number): number | null {
  return queuesBetween(socketTable(), port, remotePort)?.unread ?? null;
}

/** Bytes of the IPv4 connection between these ports that the end at `port` has sent, and the other has not read. */
export function bytesOnTheWay(port: number, remotePort: number): number {
  // One look at both ends: reading the table takes tens of milliseconds if thousands of connections have just ended.
  const table = socketTable();
  return (
    (queuesBetween(table, port, remotePort)?.unacknowledged ?? 0) +
    (queuesBetween(table, remotePort, port)?.unread ?? 0)
  );
}

/** The connections of the network namespace by IPv4, one a line. */
function socketTable(): string {
  return readFileSync('/proc/net/tcp', 'latin1');
}

/** Finds the queues of the end at `port`; null if no connection has these ports. */
function queuesBetween(
  table: string,
  port: number,
  remotePort: number,
): { readonly unacknowledged: number; readonly unread: number } | null {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
  // Local address, remote address, state, queues (proc_net_tcp.txt of the kernel).
  const line = new RegExp(`:${hex(port)} [0-9A-F]{8}:${hex(remotePort)} [0-9A-F]{2} ([0-9A-F]+):([0-9A-F]+)`);
  const [, unacknowledged, unread] = line.exec(table) ?? [];
  if (unacknowledged === undefined || unread === undefined) return null;
  return { unacknowledged: parseInt(unacknowledged, 16), unread: parseInt(unread, 16) };
}

/**
 * Estimates the growth from one size to the next as the median of the slopes between all pairs of sizes (Theil and Sen).
 * A leak adds to the process in every round; the heap of V8 and the allocator's pools swing between rounds.
 */
export function medianGrowth(sizes: readonly number[]): number {
  if (sizes.length < 2) throw new RangeError('growth needs two sizes');
  const slopes = sizes.flatMap((later, end) =>
    sizes.slice(0, end).map((earlier, start) => (later - earlier) / (end - start)),
  );
  return slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)]!;
}
