import { realpathSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isPattern, matchesOf } from '../../config/sources/file-pattern.ts';

/** Time without further changes before a change is reported. Editors and tools write in several steps. */
const QUIET_MS = 200;
/** Polling interval. Not every file system sends notifications. */
const POLL_MS = 2000;

/**
 * Watches files for all kinds of changes. Files may be written in place, replaced by rename, or removed and
 * created again. They may be behind a symbolic link that changes its target (as in Kubernetes). A
 * notification from the system only triggers a check. A pattern stands for all files that match it.
 */
export class FileWatch {
  readonly #directories = new Map<string, FSWatcher>();
  #files: readonly string[];
  /** Marks of the files when they were read. */
  #known: ReadonlyMap<string, string>;
  /** Marks at the last check, if they differ from the known ones. */
  #seen: ReadonlyMap<string, string> | null = null;
  #onChange: (() => Promise<unknown>) | null = null;
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #busy = false;

  /** Records the files' marks at once. @param files absolute paths and patterns, just read */
  constructor(files: readonly string[]) {
    this.#files = files;
    this.#known = marksOf(files);
  }

  /** Starts to report changes, including one since the files were read. */
  start(onChange: () => Promise<unknown>): void {
    this.#onChange = onChange;
    this.#listen();
    this.#poll = setInterval(() => this.#check(), POLL_MS).unref();
    this.#check();
  }

  /**
   * Replaces the watched files by those that were just read. Files that were already watched keep their
   * marks.
   *
   * @param usable whether the files contain a valid configuration. If not, the previous files stay watched
   * too
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

  #check(): void {
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
        this.#checkSoon();
      });
    } else {
      this.#seen = marks;
      this.#checkSoon();
    }
  }

  #checkSoon(): void {
    if (this.#onChange === null) return;
    this.#soon ??= setTimeout(() => this.#check(), QUIET_MS).unref();
  }

  /** Watches the directories of the files and of symbolic links' targets. */
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
        const watcher = watch(directory, { persistent: false }, () => this.#checkSoon());
        watcher.on('error', () => {
          watcher.close();
          this.#directories.delete(directory);
        });
        this.#directories.set(directory, watcher);
      } catch {
        // Polling finds the changes in this directory.
      }
    }
  }
}

/**
 * Returns each file's inode, size and times as a mark. The mark of a missing file is empty, that of a pattern the list
 * of its matches.
 */
function marksOf(files: readonly string[]): Map<string, string> {
  return new Map(
    files.map((file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
        return [file, [dev, ino, size, mtimeNs, ctimeNs].join(' ')];
      } catch {
        return [file, isPattern(file) ? markOfPattern(file) : ''];
      }
    }),
  );
}

function markOfPattern(pattern: string): string {
  try {
    return matchesOf(pattern).join('\n');
  } catch {
    return '';
  }
}

function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
