/**
 * One byte for every descriptor number that Linux allows by default (fs.nr_open). Unused pages cost no
 * memory.
 */
const TABLE_BYTES = 1024 * 1024;
/** The thread opened the descriptor through this room, and closes it itself. */
const OWN = 1;
/** The descriptor is a listening socket, of sluice or of a library. */
const LISTENING = 2;

/**
 * Table of this thread; empty if nobody reads it. Stores at -1 or past its end do nothing: the table may miss
 * a descriptor, but never lists one of other code.
 */
let own: Uint8Array = new Uint8Array(0);

/** Allocates a table in shared memory: one thread writes it, the primary reads it. */
export function allocateDescriptorTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(TABLE_BYTES);
}

/** Sets the table in which this thread records its descriptors from now on. */
export function useDescriptorTable(memory: SharedArrayBuffer): void {
  own = new Uint8Array(memory);
}

/** Records a descriptor right after it was opened. Ignores negative numbers. */
export function noteOpen(fd: number): void {
  own[fd] = OWN;
}

/** Records that a descriptor listens, even if a library opened it. */
export function noteListening(fd: number): void {
  own[fd]! |= LISTENING;
}

/** Removes a descriptor. Call it before closing: afterwards other code may get the same number. */
export function noteClosing(fd: number): void {
  own[fd] = 0;
}

/** Lists the listening sockets in another thread's table. */
export function listeningDescriptorsIn(memory: SharedArrayBuffer): number[] {
  return numbersWith(memory, LISTENING);
}

/** Lists the descriptors that another thread opened by system calls and has not closed. */
export function ownDescriptorsIn(memory: SharedArrayBuffer): number[] {
  return numbersWith(memory, OWN);
}

function numbersWith(memory: SharedArrayBuffer, flag: number): number[] {
  const table = new Uint8Array(memory);
  const numbers: number[] = [];
  for (let fd = 0; fd < table.length; fd++) if ((table[fd]! & flag) !== 0) numbers.push(fd);
  return numbers;
}
