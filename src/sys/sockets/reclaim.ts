import { ownDescriptorsIn } from '../descriptors/descriptor-table.ts';
import { Sockets } from './sockets.ts';

/**
 * Closes the descriptors in the table of a thread that exited. Resets connections, because their streams are
 * incomplete. Call it once.
 *
 * @returns number of closed descriptors
 */
export function reclaimDescriptors(table: SharedArrayBuffer): number {
  const numbers = ownDescriptorsIn(table);
  if (numbers.length === 0) return 0;
  const sockets = new Sockets();
  for (const fd of numbers) {
    // The option fails harmlessly for other kinds of descriptors.
    sockets.resetOnClose(fd);
    sockets.close(fd);
  }
  return numbers.length;
}
