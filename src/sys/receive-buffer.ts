import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { nativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './pinned-buffer.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
/** Of a socket that listens, in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Bounds what the kernel keeps of what a client has sent and nobody has read yet, for every connection that this
 * process accepts on a port from now on. It is for listening sockets that a library opened and keeps to itself.
 *
 * @param bytes half of the bound: the system doubles it, for what it needs besides
 * @returns how many sockets listen on the port
 * @throws where system calls are not supported, or /proc is not there
 */
export function limitReceiveBuffers(port: number, bytes: number): number {
  const calls = nativeCalls();
  const value = new PinnedBuffer(4);
  value.bytes.writeInt32LE(bytes);
  const place = addressWithin(value, 0, 4);
  const names = listeningSockets(port);
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    if (!names.has(linkOf(fd))) continue;
    if (calls.setsockopt(Number(fd), SOL_SOCKET, SO_RCVBUF, place, 4) === 0) count++;
  }
  return count;
}

/** What the links in /proc/self/fd say of the sockets that listen on a port, those of other processes included. */
function listeningSockets(port: number): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const names = new Set<string>();
  // Where IPv6 is switched off, its table is not there.
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync)) {
    for (const line of readFileSync(table, 'latin1').split('\n')) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTENING && local?.endsWith(suffix) === true) names.add(`socket:[${inode}]`);
    }
  }
  return names;
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // Closed in the meantime.
    return '';
  }
}
