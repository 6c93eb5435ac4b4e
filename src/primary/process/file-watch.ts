import { realpathSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** After the last sign of a change it has to be quiet for so long: editors and tools write in several steps. */
const QUIET_MS = 200;
/** Not every file system tells of changes. */
const POLL_MS = 2000;

/**
 * Watches files for changes of any kind: written in place, replaced by rename, behind a symbolic link that is turned
 * to another directory (as Kubernetes does), gone and back again. What the system tells only says when to look.
 */
export class FileWatch {
  readonly #directories = new Map<string, FSWatcher>();
  #files: readonly string[];
  /** What the files were when they were read. */
  #known: ReadonlyMap<string, string>;
  /** What they were when it was looked last, where that is not what is known. */
  #seen: ReadonlyMap<string, string> | null = null;
  #onChange: (() => Promise<unknown>) | null = null;
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #busy = false;

  /** Notes at once what the files are. @param files absolute paths, read just now */
  constructor(files: readonly string[]) {
    this.#files = files;
    this.#known = marksOf(files);
  }

  /** Begins to tell of changes; one that has come since the files were read counts. */
  start(onChange: () => Promise<unknown>): void {
    this.#onChange = onChange;
    this.#listen();
    this.#poll = setInterval(() => this.#look(), POLL_MS).unref();
    this.#look();
  }

  /**
   * Says what has been read just now, to be watched from here on. What is known of those that stay is kept.
   *
   * @param usable whether something could be made of them; if not, those before are in use still, and watched too
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

  /** Listens to the directories of the files and of what they are links to. */
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
        // It is looked at now and then all the same.
      }
    }
  }
}

/** What tells a file from what it was before, by its path; empty where there is none. */
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
