import { closeSync, openSync, readSync } from 'node:fs';
import { isListening } from './listening-sockets.ts';
import { nativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { IPV4_BYTES, IPV6_BYTES, SOCKADDR_SIZE, familyOf } from './socket-structs.ts';
import {
  AF_INET,
  AF_INET6,
  SOL_SOCKET,
  SO_ATTACH_FILTER,
  SO_ATTACH_REUSEPORT_CBPF,
  SO_DETACH_REUSEPORT_BPF,
} from './socket-constants.ts';

const PROGRAM_SIZE = 16;

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
/** Where a program finds a random number: SKF_AD_OFF + SKF_AD_RANDOM. */
const RANDOM = 0xfffff000 + 56;
/** TCP_LISTEN, as /proc has it. */
const LISTENING = '0A';

/**
 * Lets other sockets on the address of a listening one, which is about to be closed, have the connections that begin
 * now, while it can still accept those that have begun. Closed without this it would reset what waits to be accepted.
 *
 * Sockets share an address by SO_REUSEPORT, and the system numbers them as they begin to listen: those from a number
 * on, the heirs, get all connections. One that meets this socket all the same is not answered: its client tries again
 * after a second, and reaches another where this one is closed by then.
 */
export class HandOver {
  readonly #fd: number;
  /** The number of the first heir, and how many there are; 0 where nobody in particular is one. */
  #first = 0;
  #heirs = 0;

  /** @param from the first heir, as of `Array.slice`, so that negative numbers count from the end; null for none */
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
   * To be called right before the socket is closed. When it was the last before the heirs, all get connections as if
   * nothing had been; so no two threads may do both at a time.
   */
  end(): void {
    if (this.#heirs === 0) return;
    const fd = this.#fd;
    const count = countListening(fd);
    // Where a socket closes the last takes its number: it may have been one of the heirs, which the others are still.
    const isLast = count - this.#heirs === 1;
    if (!isLast && direct(fd, this.#first, count - 1)) return;
    const value = new PinnedBuffer(4);
    nativeCalls().setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, addressWithin(value, 0, 4), 4);
  }
}

/**
 * Makes a listening socket drop connects, which clients send again after a second. For a socket whose thread serves
 * nobody, until another one listens on its address.
 *
 * @returns false if the socket does not listen any more, or system calls are not supported
 */
export function deafen(fd: number): boolean {
  try {
    return isListening(fd) && attach(fd, SO_ATTACH_FILTER, DROP_SYN);
  } catch {
    return false;
  }
}

/** Gives the sockets with the numbers `[first, end)` all connections; false where there are none, or it cannot be. */
function direct(fd: number, first: number, end: number): boolean {
  if (first >= end) return false;
  // A number that is none of a socket lets the system choose, by the hash that it uses without a program.
  return attach(fd, SO_ATTACH_REUSEPORT_CBPF, [
    [0x20, 0, 0, RANDOM], // load
    [0x94, 0, 0, end - first], // modulo
    [0x04, 0, 0, first], // add
    [0x16, 0, 0, 0], // return it
  ]);
}

/** Whether the system has taken a program. */
function attach(fd: number, option: number, instructions: readonly Instruction[]): boolean {
  const size = PROGRAM_SIZE + instructions.length * 8;
  const memory = new PinnedBuffer(size);
  const { bytes } = memory;
  // struct sock_fprog, which tells how many instructions there are and where, and then those.
  bytes.writeUInt16LE(instructions.length, 0);
  bytes.writeBigUInt64LE(BigInt(addressWithin(memory, PROGRAM_SIZE, size)), 8);
  let at = PROGRAM_SIZE;
  for (const [code, whenTrue, whenFalse, operand] of instructions) {
    at = bytes.writeUInt16LE(code, at);
    at = bytes.writeUInt8(whenTrue, at);
    at = bytes.writeUInt8(whenFalse, at);
    at = bytes.writeUInt32LE(operand, at);
  }
  const program = addressWithin(memory, 0, PROGRAM_SIZE);
  return nativeCalls().setsockopt(fd, SOL_SOCKET, option, program, PROGRAM_SIZE) === 0;
}

/** How many sockets, of any process, listen on the address of one; 0 where that cannot be told. */
function countListening(fd: number): number {
  const memory = new PinnedBuffer(4 + SOCKADDR_SIZE);
  memory.bytes.writeInt32LE(SOCKADDR_SIZE, 0);
  const name = addressWithin(memory, 4, 4 + SOCKADDR_SIZE);
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

/** An IP address as /proc writes it: words of 32 bits in the machine's order, which here is little-endian. */
function procAddress(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    text += bytes.readUInt32LE(at).toString(16).padStart(8, '0').toUpperCase();
  }
  return text;
}

/** The local addresses of a table of sockets that listen. They come first: what may be a million others is not read. */
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
    // There may be no /proc.
    return [];
  } finally {
    if (file !== null) closeSync(file);
  }
}
