import { constants, type BigIntStats } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** An open regular file. The caller must close it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/**
 * O_NONBLOCK: do not wait for the writer of a FIFO. O_NOFOLLOW: a link may have appeared since the path was
 * checked.
 */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Splits the path of a request into names, and decodes each once. Repeated slashes count as one, as in nginx
 * and in the file system. A trailing slash is ignored.
 *
 * Names are refused if they contain a slash, a backslash, a NUL, or an escape that is not UTF-8. Names with a
 * leading dot, including `..`, are refused except for `.well-known` at the root (RFC 8615).
 *
 * @param path normalised
 * @returns null if a name is refused
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
 * Opens a file below a root, unless a symbolic link leads outside the root. Links inside the root work, even
 * to hidden directories: mounted Kubernetes volumes consist of such links.
 *
 * @returns the open file, or `directory`. Null for a device, FIFO or socket, and for a file outside the root.
 * @throws the file system's error
 */
export async function openBelow(
  root: string,
  names: readonly string[],
): Promise<OpenFile | 'directory' | null> {
  // Resolved for each file: a root may be a link that an operator switches to the next version of a site.
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
