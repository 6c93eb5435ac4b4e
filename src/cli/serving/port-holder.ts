/** Finds the process that listens on an address (proc(5)). */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isLoopbackHost, overlap, type TcpAddress } from '../../core/address.ts';
import { printable } from '../../telemetry/output/printable.ts';

/** A process that listens. */
export interface PortHolder {
  readonly pid: number;
  /** Name of the program, one line of visible ASCII: each process chooses its own. */
  readonly name: string;
}

/** Max descriptors to look at, over all processes. */
const MAX_LINKS = 200_000;
/** The state LISTEN in /proc/net/tcp. */
const LISTENING = '0A';
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
/** `::ffff:0:0/96`: an IPv4 address of a socket for IPv6. */
const MAPPED_PREFIX = '00000000000000000000ffff';

/**
 * Returns the process. Null if it belongs to another user, or if the kernel has no such files.
 *
 * @param proc the directory of the process file system
 */
export function portHolder(address: TcpAddress, proc = '/proc'): PortHolder | null {
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap((name) => listeningSockets(textOf(join(proc, 'net', name)), address)),
  );
  if (sockets.size === 0) return null;
  let left = MAX_LINKS;
  for (const pid of namesIn(proc).filter((name) => /^\d+$/.test(name))) {
    const folder = join(proc, pid, 'fd');
    for (const descriptor of namesIn(folder)) {
      if (left-- === 0) return null;
      const socket = /^socket:\[(\d+)\]$/.exec(linkOf(join(folder, descriptor)))?.[1];
      if (socket !== undefined && sockets.has(socket)) {
        return { pid: Number(pid), name: nameOf(textOf(join(proc, pid, 'comm'))) };
      }
    }
  }
  return null;
}

/** Returns the inodes of the sockets that keep others from listening on an address. */
function listeningSockets(table: string, wanted: TcpAddress): string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== LISTENING || inode === undefined) return [];
    const address = addressOf(local);
    return address !== null && conflicts(wanted, address) ? [inode] : [];
  });
}

function conflicts(wanted: TcpAddress, taken: TcpAddress): boolean {
  // A name other than localhost is not resolved here: only a wildcard is sure to include it.
  const isLocal = wanted.host.toLowerCase() === 'localhost' && isLoopbackHost(taken.host);
  return overlap(wanted, taken) || (isLocal && wanted.port === taken.port);
}

/**
 * Parses an address such as `0100007F:1F90`. Each word of 32 bits has the machine's byte order, and sluice
 * runs on little-endian machines only.
 */
function addressOf(text: string): TcpAddress | null {
  const [words = '', port = ''] = text.split(':');
  const bytes = Buffer.from(words, 'hex');
  if (bytes.length !== IPV4_BYTES && bytes.length !== IPV6_BYTES) return null;
  bytes.swap32();
  const isMapped = bytes.toString('hex').startsWith(MAPPED_PREFIX);
  const host =
    bytes.length === IPV4_BYTES || isMapped
      ? bytes.subarray(-IPV4_BYTES).join('.')
      : (bytes.toString('hex').match(/..../g) ?? []).join(':');
  return { kind: 'tcp', host, port: Number.parseInt(port, 16) };
}

function nameOf(comm: string): string {
  return printable(comm.replace(/\n$/, '')).replaceAll('\n', String.raw`\u000a`);
}

/** Processes may end, and belong to other users. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
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
