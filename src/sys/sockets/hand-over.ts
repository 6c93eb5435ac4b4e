import { closeSync, openSync, readSync } from 'node:fs';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import {
  AF_INET,
  AF_INET6,
  SOL_SOCKET,
  SO_ATTACH_FILTER,
  SO_ATTACH_REUSEPORT_CBPF,
  SO_DETACH_REUSEPORT_BPF,
} from '../socket-constants.ts';
import { isListening } from './listening-sockets.ts';
import { IPV4_BYTES, IPV6_BYTES, SOCKADDR_BYTES, familyOf } from './socket-structs.ts';

const PROGRAM_BYTES = 16;

/** An instruction of classic BPF: code, jump if true, jump if false, operand. */
type Instruction = readonly [number, number, number, number];

/**
 * Drops segments that open a connection: SYN without ACK, in the flags at offset 13 of the TCP header. Passes
 * all others.
 */
const DROP_SYN: readonly Instruction[] = [
  [0x30, 0, 0, 13], // load the flags byte
  [0x54, 0, 0, 0x12], // mask SYN and ACK
  [0x15, 0, 1, 0x02], // only SYN?
  [0x06, 0, 0, 0], // drop
  [0x06, 0, 0, 0xffffffff], // pass
];
/** Offset at which a BPF program reads a random number: SKF_AD_OFF + SKF_AD_RANDOM. */
const RANDOM = 0xfffff000 + 56;
/** TCP_LISTEN in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Directs new connections away from a listening socket that is about to close, to other sockets on its
 * address. The socket still accepts connections that have begun. Without this, closing it would reset
 * connections that wait to be accepted.
 *
 * Sockets share an address through SO_REUSEPORT, and the kernel numbers them in the order in which they began
 * to listen. The successors, all sockets from a given number on, get all connections. A SYN that still reaches
 * this socket is dropped. The client sends it again after a second, and reaches a successor once this socket is
 * closed.
 */
export class HandOver {
  readonly #fd: number;
  /** Number of the first successor. */
  #first = 0;
  /** Count of successors; 0 if connections go to any socket on the address. */
  #successors = 0;

  /**
   * @param from number of the first successor; negative numbers count from the end, as in `Array.slice`; null for
   * no successors
   */
  constructor(fd: number, from: number | null) {
    this.#fd = fd;
    if (from !== null) {
      const count = countListening(fd);
      const first = from < 0 ? count + from : from;
      if (first > 0 && direct(fd, first, count)) {
        this.#first = first;
        this.#successors = count - first;
      }
    }
    attach(fd, SO_ATTACH_FILTER, DROP_SYN);
  }

  /**
   * Stops directing connections. Call it right before closing the socket: two threads must not do both at the
   * same time. After the last socket that is not a successor, the kernel again chooses among all sockets.
   */
  end(): void {
    if (this.#successors === 0) return;
    const fd = this.#fd;
    const count = countListening(fd);
    // Closing a socket gives its number to the last socket, which may be a successor.
    const isLast = count - this.#successors === 1;
    if (!isLast && direct(fd, this.#first, count - 1)) return;
    const value = new PinnedBuffer(4);
    nativeCalls().setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, addressWithin(value, 0, 4), 4);
  }
}

/**
 * Makes a listening socket drop SYNs, which clients send again after a second. For a socket whose thread does
 * not accept, until another socket listens on the address.
 *
 * @returns false if the socket no longer listens, or system calls are not supported
 */
export function dropNewConnections(fd: number): boolean {
  try {
    return isListening(fd) && attach(fd, SO_ATTACH_FILTER, DROP_SYN);
  } catch {
    return false;
  }
}

/**
 * Directs all connections to the sockets numbered `[first, end)`. Returns false if the range is empty, or on
 * failure.
 */
function direct(fd: number, first: number, end: number): boolean {
  if (first >= end) return false;
  // For a number without a socket, the kernel falls back to its usual hash.
  return attach(fd, SO_ATTACH_REUSEPORT_CBPF, [
    [0x20, 0, 0, RANDOM], // load
    [0x94, 0, 0, end - first], // modulo
    [0x04, 0, 0, first], // add
    [0x16, 0, 0, 0], // return
  ]);
}

/** Attaches a BPF program to a socket. Returns whether the kernel accepted it. */
function attach(fd: number, option: number, instructions: readonly Instruction[]): boolean {
  const size = PROGRAM_BYTES + instructions.length * 8;
  const memory = new PinnedBuffer(size);
  const { bytes } = memory;
  // struct sock_fprog: the number and address of the instructions, which follow it.
  bytes.writeUInt16LE(instructions.length, 0);
  bytes.writeBigUInt64LE(BigInt(addressWithin(memory, PROGRAM_BYTES, size)), 8);
  let at = PROGRAM_BYTES;
  for (const [code, whenTrue, whenFalse, operand] of instructions) {
    at = bytes.writeUInt16LE(code, at);
    at = bytes.writeUInt8(whenTrue, at);
    at = bytes.writeUInt8(whenFalse, at);
    at = bytes.writeUInt32LE(operand, at);
  }
  const program = addressWithin(memory, 0, PROGRAM_BYTES);
  return nativeCalls().setsockopt(fd, SOL_SOCKET, option, program, PROGRAM_BYTES) === 0;
}

/** Counts the sockets of all processes that listen on a socket's address; 0 if unknown. */
function countListening(fd: number): number {
  const memory = new PinnedBuffer(4 + SOCKADDR_BYTES);
  memory.bytes.writeInt32LE(SOCKADDR_BYTES, 0);
  const name = addressWithin(memory, 4, 4 + SOCKADDR_BYTES);
  if (nativeCalls().getsockname(fd, name, addressWithin(memory, 0, 4)) !== 0) return 0;
  const address = memory.bytes.subarray(4);
  const family = familyOf(address, true);
  if (family !== AF_INET && family !== AF_INET6) return 0;
  const { offset, length } = family === AF_INET ? IPV4_BYTES : IPV6_BYTES;
  const port = address.readUInt16BE(2).toString(16).padStart(4, '0').toUpperCase();
  const local = `${procAddress(address.subarray(offset, offset + length))}:${port}`;
  return readListening(`/proc/net/${family === AF_INET ? 'tcp' : 'tcp6'}`).filter((other) => other === local)
    .length;
}

/** Formats an IP address like /proc: 32-bit words in machine byte order, here little-endian. */
function procAddress(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    text += bytes.readUInt32LE(at).toString(16).padStart(8, '0').toUpperCase();
  }
  return text;
}

/**
 * Reads the local addresses of listening sockets from a table. Stops after them: a million other sockets may
 * follow.
 */
function readListening(path: string): string[] {
  const addresses: string[] = [];
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const chunk = Buffer.alloc(16 * 1024);
    let rest = '';
    for (;;) {
      const read = readSync(file, chunk);
      if (read === 0) return addresses;
      const lines = (rest + chunk.toString('latin1', 0, read)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [number, local = '', , state] = line.trim().split(/\s+/);
        if (number === 'sl') continue;
        if (state !== LISTENING) return addresses;
        addresses.push(local);
      }
    }
  } catch {
    // /proc may be missing.
    return [];
  } finally {
    if (file !== null) closeSync(file);
  }
}
