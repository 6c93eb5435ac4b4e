import { constants, type BigIntStats } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A regular file, open for reading: whoever gets it closes it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/** Without waiting for the writer of a FIFO, and without following a link put there after the path was checked. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * The names of a path below a root, decoded once. Runs of slashes count as one, as in nginx and in the file
 * system; the slash at the end is not looked at.
 *
 * @param path a normalised path of a request
 * @returns null where nothing may be served: an escape that is no UTF-8, a NUL, a name with a slash or backslash
 *   in it, and a name that begins with a dot (`..` too), but for `.well-known` at the root (RFC 8615)
 */
export function namesOf(path: string): readonly string[] | null {
  let names: string[];
  try {
    names = path
      .split('/')
      .filter((name) => name !== '')
      .map(decodeURIComponent);
  } catch {
    return null;
  }
  for (const [place, name] of names.entries()) {
    if (/[/\\\0]/.test(name)) return null;
    if (name.startsWith('.') && !(place === 0 && name === '.well-known')) return null;
  }
  return names;
}

/**
 * Opens what stands at a place below a root, if it really is below it with every symbolic link followed. Links
 * inside of the root work, those to hidden directories too: mounted Kubernetes volumes are made of them.
 *
 * @returns the open file, `directory`, or null for whatever is neither (device, FIFO, socket) or is elsewhere
 * @throws the error of the file system
 */
export async function openBelow(
  root: string,
  names: readonly string[],
): Promise<OpenFile | 'directory' | null> {
  // Anew each time: a root that is a link is how a site is switched to its next version.
  const realRoot = await realpath(root);
  const real = await realpath(join(realRoot, ...names));
  if (real !== realRoot && !real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) return null;
  const handle = await open(real, OPEN_FLAGS);
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, stats };
    await handle.close();
    return stats.isDirectory() ? 'directory' : null;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
