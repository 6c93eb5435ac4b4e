import { constants, type BigIntStats } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A regular file, open for reading. The caller closes it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/** O_NONBLOCK: do not wait for the writer of a FIFO. O_NOFOLLOW: a link may have been put there since the path was checked. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Splits the path of a request into names, and decodes each once. Runs of slashes count as one, as in nginx and in the
 * file system. A slash at the end is ignored.
 *
 * @param path normalised
 * @returns null if nothing may be served: for an escape that is no UTF-8, a NUL, a name with a slash or a backslash, and
 *   a name that begins with a dot, `..` included. `.well-known` at the root is allowed (RFC 8615).
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
 * Opens a file below a root, unless a symbolic link leads out of the root. Links inside of the root work, also to hidden
 * directories: mounted Kubernetes volumes are made of such links.
 *
 * @returns the open file; `directory`; or null for a device, FIFO or socket, and for a file outside of the root
 * @throws the error of the file system
 */
export async function openBelow(
  root: string,
  names: readonly string[],
): Promise<OpenFile | 'directory' | null> {
  // Each time: a root may be a link, which an operator switches to the next version of a site.
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
