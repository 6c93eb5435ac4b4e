import { ownIn } from '../descriptors/descriptor-table.ts';
import { Sockets } from './sockets.ts';

/**
 * Closes the descriptors that a thread has left behind, by its table. Its connections are reset: what they carried is
 * not complete. Call it after the thread has exited, and once.
 *
 * @returns how many were closed
 */
export function reclaimDescriptors(table: SharedArrayBuffer): number {
  const numbers = ownIn(table);
  if (numbers.length === 0) return 0;
  const sockets = new Sockets();
  for (const fd of numbers) {
    // Other kinds of descriptors do not take the option, which does no harm.
    sockets.resetOnClose(fd);
    sockets.close(fd);
  }
  return numbers.length;
}
