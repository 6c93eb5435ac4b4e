import { StartError, messageOf } from '../../core/errors.ts';
import type { Destination } from './destination.ts';
import { firstEntry, wholeEntries } from './entries.ts';
import type { FileFacts, OutputFiles } from './output-files.ts';
import { rotateNames } from './rotation.ts';

/** Interval between checks of the file: other programs may move or remove it. */
const CHECK_INTERVAL_MS = 1000;
/** Delay before retrying a failed rotation. */
const ROTATION_RETRY_MS = 10_000;

/** A log file of the configuration. */
interface ConfiguredFile {
  readonly path: string;
  /** The configuration key, for errors: `log.file`. */
  readonly key: string;
}

/** The limits that cause a rotation. */
export interface SizeLimits {
  /** Size above which the file is rotated. 0 disables rotation. */
  readonly maxSizeBytes: number;
  /** Number of rotated files to keep, 1 or more. */
  readonly keep: number;
}

interface FileOptions {
  readonly files: OutputFiles;
  /** The current limits. A reload may change them. */
  readonly limits: () => SizeLimits;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Whether this process rotates files. During a takeover only one of the two processes does. */
  readonly mayRotate: () => boolean;
  /** Called when a rotation fails, at most every {@link ROTATION_RETRY_MS}. */
  readonly onRotationFailed: (path: string, reason: string) => void;
}

/** A log file. It can be reopened on request, and rotates by size if configured. */
export class FileDestination implements Destination {
  readonly path: string;
  #fd: number;
  readonly #key: string;
  readonly #options: FileOptions;
  /** Facts about the file of {@link fd}. */
  #facts: FileFacts;
  #size: number;
  /** A newly opened file that replaces the current one at the end of an entry. */
  #next: number | null = null;
  #checkedAt: number;
  #retryAt = 0;

  /** @throws StartError if the file cannot be opened */
  constructor({ path, key }: ConfiguredFile, options: FileOptions) {
    this.path = path;
    this.#key = key;
    this.#options = options;
    this.#fd = this.#open();
    this.#facts = this.#begin(this.#fd);
    this.#size = this.#facts.size;
    this.#checkedAt = options.clock();
  }

  get fd(): number {
    return this.#fd;
  }

  makeRoom(bytes: Buffer): number {
    if (this.#next !== null) {
      this.#use(this.#next);
      this.#next = null;
    }
    if (bytes.length === 0) return 0;
    const { maxSizeBytes } = this.#options.limits();
    const rotates = maxSizeBytes > 0 && this.#facts.isRegular;
    // A process that does not rotate must notice the other's rotation at once: a file may rotate within a
    // second.
    if (
      (rotates && !this.#options.mayRotate()) ||
      this.#options.clock() - this.#checkedAt >= CHECK_INTERVAL_MS
    )
      this.#check();
    if (!rotates || !this.#options.mayRotate()) return bytes.length;
    const fitting = wholeEntries(bytes, maxSizeBytes - this.#size);
    if (fitting > 0) return fitting;
    if (this.#size > 0 && !this.#rotate()) return bytes.length;
    const room = wholeEntries(bytes, maxSizeBytes - this.#size);
    // An entry longer than the max size gets its own file.
    return room > 0 ? room : firstEntry(bytes);
  }

  wrote(bytes: number): void {
    this.#size += bytes;
  }

  reopen(): void {
    const fd = this.#open();
    if (this.#next !== null) this.#close(this.#next);
    this.#next = fd;
  }

  close(): void {
    this.#close(this.#fd);
    if (this.#next !== null) this.#close(this.#next);
    this.#next = null;
  }

  #open(): number {
    try {
      return this.#options.files.open(this.path);
    } catch (error) {
      throw new StartError(`the log file ${this.path} (${this.#key}) cannot be opened: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Prepares a file for writing and returns its facts. If a crash cut the last line, ends that line first.
   */
  #begin(fd: number): FileFacts {
    const { files } = this.#options;
    const facts = files.facts(fd);
    if (!facts.isRegular) return facts;
    files.endLine(fd, this.path);
    return files.facts(fd);
  }

  /**
   * Checks that the path still leads to the file. Switches to the new file if another process has rotated it.
   */
  #check(): void {
    const { files, clock, limits } = this.#options;
    this.#checkedAt = clock();
    try {
      const own = files.facts(this.#fd);
      this.#facts = own;
      this.#size = own.size;
      // A file that was only moved stays in use until SIGUSR1, unless sluice itself moves files.
      const isMoved = own.links > 0 && limits().maxSizeBytes > 0 && this.#isMoved(own);
      if (own.isRegular && (own.links === 0 || isMoved)) this.#use(this.#open());
    } catch {
      // The file stays in use. Another check follows.
    }
  }

  #isMoved({ id }: FileFacts): boolean {
    return this.#options.files.factsAt(this.path)?.id !== id;
  }

  /** Starts a new file. Returns false if that fails. */
  #rotate(): boolean {
    const { files, limits, clock, onRotationFailed } = this.#options;
    if (clock() < this.#retryAt) return false;
    const { id } = this.#facts;
    // Another process may have rotated the file since the last check.
    this.#check();
    if (this.#facts.id !== id) return true;
    try {
      const path = files.realPath(this.path);
      const undo = rotateNames(files, path, limits().keep);
      let fd: number;
      try {
        fd = files.open(path);
      } catch (error) {
        undo();
        throw error;
      }
      files.adopt(fd, this.#facts);
      this.#use(fd);
      return true;
    } catch (error) {
      this.#retryAt = clock() + ROTATION_RETRY_MS;
      onRotationFailed(this.path, messageOf(error));
      return false;
    }
  }

  #use(fd: number): void {
    this.#close(this.#fd);
    this.#fd = fd;
    this.#facts = this.#begin(fd);
    this.#size = this.#facts.size;
    this.#checkedAt = this.#options.clock();
  }

  #close(fd: number): void {
    try {
      this.#options.files.close(fd);
    } catch {
      // The descriptor is gone, whatever close reports (close(2)).
    }
  }
}
