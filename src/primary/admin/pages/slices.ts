/** Max time for which the making of a page holds the event loop. */
const SLICE_MS = 4;
/** Length of the text of a chunk. */
export const CHUNK_LENGTH = 64 * 1024;

export interface Slicing {
  readonly now: () => number;
  /** Resolves when the event loop has had a turn. */
  readonly nextTurn: () => Promise<void>;
}

const REAL_SLICING: Slicing = {
  now: () => performance.now(),
  nextTurn: () => new Promise((resolve) => void setImmediate(resolve)),
};

/**
 * Joins small pieces of a text into chunks, and gives the event loop a turn after each slice of time. The first slice begins after
 * a turn, too: what came before the text took its time.
 */
export async function* inSlices(
  pieces: Iterable<string>,
  { now, nextTurn }: Slicing = REAL_SLICING,
): AsyncGenerator<string, void> {
  let chunk = '';
  await nextTurn();
  let begun = now();
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length >= CHUNK_LENGTH) {
      yield chunk;
      chunk = '';
    }
    if (now() - begun >= SLICE_MS) {
      await nextTurn();
      begun = now();
    }
  }
  if (chunk !== '') yield chunk;
}
