import { realpathSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** How long files must stay the same after a change: editors and tools write in several steps. */
const QUIET_MS = 200;
/** Period of the looks without a notification: not every file system notifies of changes. */
const POLL_MS = 2000;

/**
 * Watches files for changes of any kind: written in place, replaced by rename, behind a symbolic link that changes its
 * target (as in Kubernetes), removed and created again. A notification of the system only causes a look.
 */
export class FileWatch {
  readonly #directories = new Map<string, FSWatcher>();
  #files: readonly string[];
  /** The marks of the files when they were read. */
  #known: ReadonlyMap<string, string>;
  /** The marks at the last look, if they differ from the known ones. */
  #seen: ReadonlyMap<string, string> | null = null;
  #onChange: (() => Promise<unknown>) | null = null;
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #busy = false;

  /** Marks the files at once. @param files absolute paths, read just now */
  constructor(files: readonly string[]) {
    this.#files = files;
    this.#known = marksOf(files);
  }

  /** Begins to report changes, also a change since the files were read. */
  start(onChange: () => Promise<unknown>): void {
    this.#onChange = onChange;
    this.#listen();
    this.#poll = setInterval(() => this.#look(), POLL_MS).unref();
    this.#look();
  }

  /**
   * Watches the files that have been read just now. Files that were watched before keep their marks.
   *
   * @param usable whether the files hold a usable configuration; if not, those before are in use, and watched too
   */
  read(files: readonly string[], usable: boolean): void {
    if (!usable) {
      this.read([...new Set([...this.#files, ...files])], true);
      return;
    }
    const known = this.#known;
    this.#known = new Map(Array.from(marksOf(files), ([file, mark]) => [file, known.get(file) ?? mark]));
    this.#files = files;
    if (this.#onChange !== null) this.#listen();
  }

  stop(): void {
    this.#onChange = null;
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    for (const watcher of this.#directories.values()) watcher.close();
    this.#directories.clear();
  }

  #look(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#onChange === null || this.#busy) return;
    const marks = marksOf(this.#files);
    if (isDeepStrictEqual(marks, this.#known)) {
      this.#seen = null;
    } else if (isDeepStrictEqual(marks, this.#seen)) {
      this.#seen = null;
      this.#known = marks;
      this.#busy = true;
      void this.#onChange().finally(() => {
        this.#busy = false;
        this.#lookSoon();
      });
    } else {
      this.#seen = marks;
      this.#lookSoon();
    }
  }

  #lookSoon(): void {
    if (this.#onChange === null) return;
    this.#soon ??= setTimeout(() => this.#look(), QUIET_MS).unref();
  }

  /** Watches the directories of the files, and of the targets of symbolic links. */
  #listen(): void {
    const wanted = new Set(this.#files.flatMap((file) => [dirname(file), dirname(targetOf(file))]));
    for (const [directory, watcher] of this.#directories) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#directories.delete(directory);
    }
    for (const directory of wanted) {
      if (this.#directories.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#lookSoon());
        watcher.on('error', () => {
          watcher.close();
          this.#directories.delete(directory);
        });
        this.#directories.set(directory, watcher);
      } catch {
        // The periodic looks find changes in it.
      }
    }
  }
}

/** Marks each file by inode, size and times; the mark of a missing file is empty. */
function marksOf(files: readonly string[]): Map<string, string> {
  return new Map(
    files.map((file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
        return [file, [dev, ino, size, mtimeNs, ctimeNs].join(' ')];
      } catch {
        return [file, ''];
      }
    }),
  );
}

function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
