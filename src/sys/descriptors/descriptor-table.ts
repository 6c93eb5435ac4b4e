/** One byte for every descriptor number that Linux allows by default (fs.nr_open). Unused pages cost no memory. */
const TABLE_BYTES = 1024 * 1024;
/** The thread opened the descriptor by a call of this room, and closes it itself. */
const OWN = 1;
/** The descriptor is a listening socket, of sluice or of a library. */
const LISTENING = 2;

/**
 * The table of this thread; empty if nobody reads it. Stores beyond its end and at -1 do nothing: the table may lack a
 * descriptor, but never has a descriptor of other code.
 */
let own: Uint8Array = new Uint8Array(0);

/** Allocates a table in shared memory, for one thread to write and the primary to read. */
export function allocateDescriptorTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(TABLE_BYTES);
}

/** Makes a table the one in which this thread notes its descriptors from now on. */
export function useDescriptorTable(memory: SharedArrayBuffer): void {
  own = new Uint8Array(memory);
}

/** Notes a descriptor right after it was opened. Negative numbers are ignored. */
export function noteOpen(fd: number): void {
  own[fd] = OWN;
}

/** Notes that a descriptor listens, also if a library opened it. */
export function noteListening(fd: number): void {
  own[fd]! |= LISTENING;
}

/** Removes a descriptor. Call it before the descriptor is closed: afterwards other code may get the same number. */
export function noteClosing(fd: number): void {
  own[fd] = 0;
}

/** Lists the listening sockets in the table of another thread. */
export function listeningIn(memory: SharedArrayBuffer): number[] {
  return numbersWith(memory, LISTENING);
}

/** Lists the descriptors that another thread opened by system calls and has not closed. */
export function ownIn(memory: SharedArrayBuffer): number[] {
  return numbersWith(memory, OWN);
}

function numbersWith(memory: SharedArrayBuffer, flag: number): number[] {
  const table = new Uint8Array(memory);
  const numbers: number[] = [];
  for (let fd = 0; fd < table.length; fd++) if ((table[fd]! & flag) !== 0) numbers.push(fd);
  return numbers;
}
