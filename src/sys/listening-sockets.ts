import { readdirSync } from 'node:fs';
import { nativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './pinned-buffer.ts';
import { AF_INET, AF_INET6, SOCKADDR_SIZE, familyOf } from './socket-structs.ts';

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_ACCEPTCONN = 30;

/**
 * A filter in classic BPF: drops the segments that open a connection (SYN without ACK, in the flags at offset 13
 * of the TCP header), and lets all others pass. Each line is code, jump if true, jump if false, operand.
 */
const DROP_SYN: readonly (readonly [number, number, number, number])[] = [
  [0x30, 0, 0, 13], // load the byte of flags
  [0x54, 0, 0, 0x12], // keep SYN and ACK of them
  [0x15, 0, 1, 0x02], // SYN alone?
  [0x06, 0, 0, 0], // drop
  [0x06, 0, 0, 0xffffffff], // pass
];

/** Connections that wait to be accepted, at most; the kernel takes the lesser of this and net.core.somaxconn. */
export const BACKLOG = 4096;

/**
 * Gives a listening socket, which a library opened, a queue of {@link BACKLOG} connections. What finds no room is not
 * answered, and tries again after a second.
 *
 * @returns whether the system took it
 */
export function lengthenQueue(fd: number): boolean {
  return nativeCalls().listen(fd, BACKLOG) === 0;
}

/** The sockets of this process that listen on a port; none where system calls are not supported. */
export function findListening(port: number): number[] {
  let probe: ListeningProbe;
  try {
    probe = new ListeningProbe();
  } catch {
    return [];
  }
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => probe.listensOn(fd, port));
}

/**
 * Makes a listening socket deaf to connections that begin now, while it can still accept those that have begun.
 * Clients try again after a second; where others listen on the same address and this socket is closed by then,
 * one of those gets the connection. Closed without this it would reset what waits to be accepted.
 *
 * @returns whether the system took it
 */
export function holdConnects(fd: number): boolean {
  const calls = nativeCalls();
  const code = new PinnedBuffer(DROP_SYN.length * 8);
  for (const [index, [operation, whenTrue, whenFalse, operand]] of DROP_SYN.entries()) {
    const at = code.bytes.writeUInt16LE(operation, index * 8);
    code.bytes[at] = whenTrue;
    code.bytes[at + 1] = whenFalse;
    code.bytes.writeUInt32LE(operand, at + 2);
  }
  // struct sock_fprog: the number of instructions, and where they are.
  const program = new PinnedBuffer(16);
  program.bytes.writeUInt16LE(DROP_SYN.length, 0);
  program.bytes.writeBigUInt64LE(BigInt(addressWithin(code, 0, code.bytes.length)), 8);
  return calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, addressWithin(program, 0, 16), 16) === 0;
}

class ListeningProbe {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + SOCKADDR_SIZE);

  listensOn(fd: number, port: number): boolean {
    const { bytes } = this.#memory;
    const length = addressWithin(this.#memory, 0, 4);
    const value = addressWithin(this.#memory, 4, 8);
    bytes.writeInt32LE(4, 0);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, length) !== 0) return false;
    if (bytes.readInt32LE(4) !== 1) return false;
    bytes.writeInt32LE(SOCKADDR_SIZE, 0);
    const name = addressWithin(this.#memory, 8, 8 + SOCKADDR_SIZE);
    if (this.#calls.getsockname(fd, name, length) !== 0) return false;
    const address = bytes.subarray(8);
    const family = familyOf(address, true);
    return (family === AF_INET || family === AF_INET6) && address.readUInt16BE(2) === port;
  }
}
