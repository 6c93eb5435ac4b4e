import { closeSync, openSync } from 'node:fs';
import { nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import { F_DUPFD_CLOEXEC } from '../socket-constants.ts';

/** Always open: Node opens /dev/null for standard streams that are closed. */
const STDERR = 2;

/**
 * Returns a function that finds the lowest free descriptor number of the process; Infinity if none is free.
 * It duplicates a descriptor and closes it (1 us), or without system calls opens /dev/null (3 us).
 */
export function lowestDescriptor(): () => number {
  let calls: NativeCalls;
  try {
    calls = nativeCalls();
  } catch {
    return byOpening;
  }
  return () => {
    const fd = calls.fcntl(STDERR, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return Infinity;
    calls.close(fd);
    return fd;
  };
}

function byOpening(): number {
  try {
    const fd = openSync('/dev/null', 'r');
    closeSync(fd);
    return fd;
  } catch {
    return Infinity;
  }
}
