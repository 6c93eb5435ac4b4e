import type { OutputFiles } from './output-files.ts';

/**
 * Renames `PATH` to `PATH.1`, and older files to the next number. Replaces the oldest of `keep` files. Files
 * move only up to the first free number, which a crash or another program may have left.
 *
 * @param keep 1 or more
 * @returns a function that renames `PATH.1` back if its place is still free; it does not throw
 * @throws the system's error if a file cannot be moved; each file then still has a name
 */
export function rotateNames(
  files: Pick<OutputFiles, 'rename' | 'factsAt'>,
  path: string,
  keep: number,
): () => void {
  const name = (number: number): string => `${path}.${number}`;
  let free = 1;
  while (free < keep && files.factsAt(name(free)) !== null) free++;
  for (let number = free; number > 1; number--) files.rename(name(number - 1), name(number));
  files.rename(path, name(1));
  return () => {
    try {
      if (files.factsAt(path) === null) files.rename(name(1), path);
    } catch {
      // The lines remain in the renamed file, and the process continues to write to it.
    }
  };
}
