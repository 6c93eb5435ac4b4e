/** The limit of open file descriptors (RLIMIT_NOFILE), and the number of connections that fit below it. */
import { readFileSync } from 'node:fs';

/**
 * Descriptors of the process without workers: event loops, standard streams, pipes, the log. Measured: 24.
 */
const PROCESS_DESCRIPTORS = 32;
/** Descriptors of one worker thread: event loops, pipes, listening sockets. Measured: 9. */
const THREAD_DESCRIPTORS = 12;
/** Fraction of the limit reserved from clients and dials, between MIN_RESERVE and MAX_RESERVE. */
const RESERVE_SHARE = 1 / 8;
const MIN_RESERVE = 32;
const MAX_RESERVE = 256;

/** Division of the descriptor limit. */
export interface DescriptorPlan {
  /** Max open descriptors of the process. */
  readonly limit: number;
  /**
   * Clients and dials use descriptor numbers below this one. Higher numbers are reserved for the admin
   * address, probes, name lookups and files.
   */
  readonly ceiling: number;
  /** Max open client connections. Each needs one descriptor, and one more for its endpoint. */
  readonly clients: number;
}

/**
 * Reads the soft limit of this process. Node raises it to the hard limit at startup.
 *
 * @returns null if the limit is infinite or unknown
 */
export function readDescriptorLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return reportedLimit();
  }
}

/** Divides a limit between clients and everything else. */
export function planDescriptors(limit: number, threads: number): DescriptorPlan {
  const reserve = Math.min(Math.max(Math.floor(limit * RESERVE_SHARE), MIN_RESERVE), MAX_RESERVE);
  const ceiling = Math.max(0, limit - reserve);
  return { limit, ceiling, clients: Math.max(0, Math.floor((ceiling - ownDescriptors(threads)) / 2)) };
}

/** Returns a limit that suffices for a number of clients. */
export function descriptorLimitFor(clients: number, threads: number): number {
  return 2 * clients + ownDescriptors(threads) + MAX_RESERVE;
}

function ownDescriptors(threads: number): number {
  return PROCESS_DESCRIPTORS + threads * THREAD_DESCRIPTORS;
}

/** Reads the limit on a platform without /proc. */
function reportedLimit(): number | null {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: unknown } };
  };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : null;
}
