/** Writes files at once: a reader finds the whole file or none, if the file system has hard links. */
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from '../../config/syntax/files.ts';
import { StartError, codeOf } from '../../core/errors.ts';

/** Codes of file systems without hard links, such as FAT. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

interface NewFile {
  readonly file: string;
  readonly text: string;
  /** The umask clears bits of it. */
  readonly mode: number;
}

/**
 * Writes a file that does not exist.
 *
 * @throws StartError if something has its name, or if it cannot be written
 */
export function createFile(created: NewFile, link: (from: string, to: string) => void = linkSync): void {
  const { file, text, mode } = created;
  withDraft(created, (draft) => {
    try {
      link(draft, file);
    } catch (error) {
      if (!NO_LINKS.has(codeOf(error))) throw error;
      writeFileSync(file, text, { mode, flag: 'wx' });
    }
  });
}

/**
 * Writes a file, or replaces one. The old file, its mode and its readers never see the new text.
 *
 * @throws StartError if something else has its name, or if it cannot be written
 */
export function replaceFile(replaced: NewFile): void {
  withDraft(replaced, (draft) => {
    const found = lstatSync(replaced.file, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) throw new Error('it is not a regular file');
    renameSync(draft, replaced.file);
  });
}

/** Writes a hidden file beside the final one. It is gone afterwards. */
function withDraft({ file, text, mode }: NewFile, place: (draft: string) => void): void {
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(draft, text, { mode, flag: 'wx' });
    place(draft);
  } catch (error) {
    const reason = codeOf(error) === 'EEXIST' ? 'it exists' : reasonOf(error);
    throw new StartError(`${file} cannot be written: ${reason}`, { cause: error });
  } finally {
    remove(draft);
  }
}

/** Removes a draft. An impossible name has its own error already. */
function remove(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // The next start writes a draft of another name.
  }
}
