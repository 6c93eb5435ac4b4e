/** Finds the process that listens on a port (proc(5)). */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A process that listens. */
export interface PortHolder {
  readonly pid: number;
  /** Name of the program, at most 15 bytes. */
  readonly name: string;
}

/** Max descriptors to look at, over all processes. */
const MAX_LINKS = 200_000;
/** The state LISTEN in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Returns the process. Null if it belongs to another user, or if the kernel has no such files.
 *
 * @param proc the directory of the process file system
 */
export function portHolder(port: number, proc = '/proc'): PortHolder | null {
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap((name) => listeningSockets(textOf(join(proc, 'net', name)), port)),
  );
  if (sockets.size === 0) return null;
  let left = MAX_LINKS;
  for (const pid of namesIn(proc).filter((name) => /^\d+$/.test(name))) {
    const folder = join(proc, pid, 'fd');
    for (const descriptor of namesIn(folder)) {
      if (left-- === 0) return null;
      const socket = /^socket:\[(\d+)\]$/.exec(linkOf(join(folder, descriptor)))?.[1];
      if (socket !== undefined && sockets.has(socket)) {
        return { pid: Number(pid), name: textOf(join(proc, pid, 'comm')).trim() };
      }
    }
  }
  return null;
}

/** Returns the inodes of the sockets that listen on a port. */
function listeningSockets(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTENING && local.endsWith(`:${wanted}`) && inode !== undefined ? [inode] : [];
  });
}

/** Processes may end, and belong to other users. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
