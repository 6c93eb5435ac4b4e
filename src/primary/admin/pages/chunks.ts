import { Slices } from '../../../core/timing/slices.ts';

/** Min characters of a chunk, except the last. */
export const CHUNK_LENGTH = 64 * 1024;

/**
 * Joins small pieces of text into chunks, and yields to the event loop after each time slice. It also yields
 * before the first slice, because the caller may have used up the current one.
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
