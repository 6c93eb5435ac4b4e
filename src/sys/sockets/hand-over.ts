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
 * A filter that drops the segments that open a connection (SYN without ACK, in the flags at offset 13 of the TCP
 * header), and lets all others pass.
 */
const DROP_SYN: readonly Instruction[] = [
  [0x30, 0, 0, 13], // load the byte of flags
  [0x54, 0, 0, 0x12], // keep SYN and ACK of them
  [0x15, 0, 1, 0x02], // SYN alone?
  [0x06, 0, 0, 0], // drop
  [0x06, 0, 0, 0xffffffff], // pass
];
/** Offset at which a BPF program reads a random number: SKF_AD_OFF + SKF_AD_RANDOM. */
const RANDOM = 0xfffff000 + 56;
/** TCP_LISTEN in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Directs new connections from a listening socket that is about to be closed to other sockets on its address, while the
 * socket still accepts connections that have begun. Without this, its close would reset connections that wait to be
 * accepted.
 *
 * Sockets share an address by SO_REUSEPORT, and the system numbers them in the order in which they began to listen. The
 * sockets from a number on, the heirs, get all connections. If a SYN still reaches this socket, it is dropped: the client
 * sends it again after a second, and reaches an heir once this socket is closed.
 */
export class HandOver {
  readonly #fd: number;
  /** The number of the first heir. */
  #first = 0;
  /** Number of heirs; 0 if connections go to any socket of the address. */
  #heirs = 0;

  /** @param from number of the first heir. Negative numbers count from the end, as in `Array.slice`. Null for no heirs. */
  constructor(fd: number, from: number | null) {
    this.#fd = fd;
    if (from !== null) {
      const count = countListening(fd);
      const first = from < 0 ? count + from : from;
      if (first > 0 && direct(fd, first, count)) {
        this.#first = first;
        this.#heirs = count - first;
      }
    }
    attach(fd, SO_ATTACH_FILTER, DROP_SYN);
  }

  /**
   * Ends the direction of connections. Call it right before the socket is closed: no two threads may do both at the same
   * time. After the last socket before the heirs, the system chooses again among all sockets.
   */
  end(): void {
    if (this.#heirs === 0) return;
    const fd = this.#fd;
    const count = countListening(fd);
    // When a socket is closed, the last socket takes its number. That may be one of the heirs.
    const isLast = count - this.#heirs === 1;
    if (!isLast && direct(fd, this.#first, count - 1)) return;
    const value = new PinnedBuffer(4);
    nativeCalls().setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, addressWithin(value, 0, 4), 4);
  }
}

/**
 * Makes a listening socket drop connects, which clients send again after a second. It is for a socket whose thread does
 * not accept, until another socket listens on the address.
 *
 * @returns false if the socket no longer listens, or system calls are not supported
 */
export function deafen(fd: number): boolean {
  try {
    return isListening(fd) && attach(fd, SO_ATTACH_FILTER, DROP_SYN);
  } catch {
    return false;
  }
}

/** Gives all connections to the sockets with the numbers `[first, end)`. Returns false if there are none, or it fails. */
function direct(fd: number, first: number, end: number): boolean {
  if (first >= end) return false;
  // For a number without a socket the system chooses by its usual hash.
  return attach(fd, SO_ATTACH_REUSEPORT_CBPF, [
    [0x20, 0, 0, RANDOM], // load
    [0x94, 0, 0, end - first], // modulo
    [0x04, 0, 0, first], // add
    [0x16, 0, 0, 0], // return it
  ]);
}

/** Attaches a BPF program to a socket. Returns whether the system took it. */
function attach(fd: number, option: number, instructions: readonly Instruction[]): boolean {
  const size = PROGRAM_BYTES + instructions.length * 8;
  const memory = new PinnedBuffer(size);
  const { bytes } = memory;
  // struct sock_fprog has the number and the address of the instructions, which follow it.
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

/** Counts the sockets of all processes that listen on the address of a socket; 0 if the system does not tell. */
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

/** Writes an IP address like /proc: words of 32 bits in the machine's order, which is little-endian here. */
function procAddress(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    text += bytes.readUInt32LE(at).toString(16).padStart(8, '0').toUpperCase();
  }
  return text;
}

/** Reads the local addresses of listening sockets from a table. They come first, so a million others are not read. */
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
