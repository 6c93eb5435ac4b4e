import type { OutputFiles } from './output-files.ts';

/**
 * Moves `PATH` to `PATH.1`, and older files one number up. The oldest of `keep` files is replaced. Files move up only as far
 * as the first free number, which a crash or somebody else may have left.
 *
 * @param keep from 1
 * @returns a function that moves `PATH.1` back, if nothing has taken its place; it does not throw
 * @throws the system's error if a file cannot be moved: each file then still has a name
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
      // The lines are in a file of another name, and the process goes on writing to it.
    }
  };
}
