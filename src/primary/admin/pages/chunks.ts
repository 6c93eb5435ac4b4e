import { Slices } from '../../../core/timing/slices.ts';

/** Length of the text of a chunk. */
export const CHUNK_LENGTH = 64 * 1024;

/**
 * Joins small pieces of a text into chunks, and gives the event loop a turn after each slice of time. The first slice begins after
 * a turn, too: what came before the text took its time.
 */
export async function* chunksOf(
  pieces: Iterable<string>,
  slices: Pick<Slices, 'isOver' | 'next'> = new Slices(setImmediate),
): AsyncGenerator<string, void> {
  let chunk = '';
  await slices.next();
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length >= CHUNK_LENGTH) {
      yield chunk;
      chunk = '';
    }
    if (slices.isOver()) await slices.next();
  }
  if (chunk !== '') yield chunk;
}
