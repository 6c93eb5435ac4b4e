/** Patterns of file names: `*` and `?` in the last part of a path. */
import { readdirSync, type Dirent } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../core/errors.ts';

const WILDCARD = /[*?]/;

/** Whether the last part of a path is a pattern. */
export function isPattern(path: string): boolean {
  return WILDCARD.test(basename(path));
}

/** Whether a part of a path before the last one has a star or a question mark. */
export function hasPatternInDirectory(path: string): boolean {
  return WILDCARD.test(dirname(path));
}

/**
 * Lists the paths that match a pattern, sorted by their characters' codes. Leaves out directories. Empty if the
 * directory does not exist.
 *
 * @throws a file system error
 */
export function matchesOf(pattern: string): readonly string[] {
  const directory = dirname(pattern);
  const name = basename(pattern);
  return entriesOf(directory)
    .filter((entry) => !entry.isDirectory() && matchesName(entry.name, name))
    .map((entry) => join(directory, entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Whether a name matches a pattern: `*` stands for any characters, `?` for one. A first dot must be written, as in a
 * shell.
 */
export function matchesName(name: string, pattern: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let afterStar = 0;
  while (at < name.length) {
    const wanted = pattern.charAt(inPattern);
    if (wanted === '*') {
      star = inPattern++;
      afterStar = at;
    } else if (wanted === '?' || (wanted !== '' && wanted === name.charAt(at))) {
      at++;
      inPattern++;
    } else if (star !== -1) {
      // The last star takes one character more.
      inPattern = star + 1;
      at = ++afterStar;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(inPattern));
}
