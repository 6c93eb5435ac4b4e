import { StartError, messageOf } from '../../core/errors.ts';
import type { Destination } from './destination.ts';
import { firstEntry, wholeEntries } from './entries.ts';
import type { FileFacts, OutputFiles } from './output-files.ts';
import { rotateNames } from './rotation.ts';

/** Time between two looks at what has become of the file: somebody may have moved or removed it. */
const LOOK_MS = 1000;
/** Time before a failed rotation is tried again. */
const ROTATION_RETRY_MS = 10_000;

/** A log file of the configuration. */
interface FilePlace {
  readonly path: string;
  /** The key of the configuration, for errors: `log.file`. */
  readonly key: string;
}

/** When a file is rotated. */
export interface SizeLimits {
  /** Size above which the file is rotated; 0 for never. */
  readonly maxSizeBytes: number;
  /** Number of rotated files, from 1. */
  readonly keep: number;
}

interface FileMeans {
  readonly files: OutputFiles;
  /** The limits in force, which a reload may change. */
  readonly limits: () => SizeLimits;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Whether this process rotates files. During a takeover only one of the two processes does. */
  readonly mayRotate: () => boolean;
  /** Called when a rotation has failed, at most every {@link ROTATION_RETRY_MS}. */
  readonly onRotationFailed: (path: string, reason: string) => void;
}

/** A log file. It is opened again on request, and rotated by size if the settings say so. */
export class FileDestination implements Destination {
  readonly path: string;
  #fd: number;
  readonly #key: string;
  readonly #means: FileMeans;
  /** The file behind {@link fd}. */
  #facts: FileFacts;
  #size: number;
  /** A newly opened file, which takes the place of the current one at the end of an entry. */
  #next: number | null = null;
  #lookedAt: number;
  #retryAt = 0;

  /** @throws StartError if the file cannot be opened */
  constructor({ path, key }: FilePlace, means: FileMeans) {
    this.path = path;
    this.#key = key;
    this.#means = means;
    this.#fd = this.#open();
    this.#facts = this.#begin(this.#fd);
    this.#size = this.#facts.size;
    this.#lookedAt = means.clock();
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
    const { maxSizeBytes } = this.#means.limits();
    const rotates = maxSizeBytes > 0 && this.#facts.isRegular;
    // A process that does not rotate must notice at once that the other one does: a file may be rotated away in a second.
    if ((rotates && !this.#means.mayRotate()) || this.#means.clock() - this.#lookedAt >= LOOK_MS)
      this.#look();
    if (!rotates || !this.#means.mayRotate()) return bytes.length;
    const fitting = wholeEntries(bytes, maxSizeBytes - this.#size);
    if (fitting > 0) return fitting;
    if (this.#size > 0 && !this.#rotate()) return bytes.length;
    const room = wholeEntries(bytes, maxSizeBytes - this.#size);
    // An entry that is longer than a file has one for itself.
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
      return this.#means.files.open(this.path);
    } catch (error) {
      throw new StartError(`the log file ${this.path} (${this.#key}) cannot be opened: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Returns facts about a file that will be written to. A new line must not be glued to one that a crash has cut. */
  #begin(fd: number): FileFacts {
    const { files } = this.#means;
    const facts = files.facts(fd);
    if (!facts.isRegular) return facts;
    files.endLine(fd, this.path);
    return files.facts(fd);
  }

  /** Looks whether the path still leads to the file. If another process has rotated it, its new file is used. */
  #look(): void {
    const { files, clock, limits } = this.#means;
    this.#lookedAt = clock();
    try {
      const own = files.facts(this.#fd);
      this.#facts = own;
      this.#size = own.size;
      // A file that was only moved away stays in use until SIGUSR1, unless sluice itself moves files.
      const isMoved = own.links > 0 && limits().maxSizeBytes > 0 && this.#isMoved(own);
      if (own.isRegular && (own.links === 0 || isMoved)) this.#use(this.#open());
    } catch {
      // The file stays in use. A next look follows.
    }
  }

  #isMoved({ id }: FileFacts): boolean {
    return this.#means.files.factsAt(this.path)?.id !== id;
  }

  /** Begins a new file; returns false if that fails. */
  #rotate(): boolean {
    const { files, limits, clock, onRotationFailed } = this.#means;
    if (clock() < this.#retryAt) return false;
    const { id } = this.#facts;
    // Another process may have rotated the file since the last look.
    this.#look();
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
    this.#lookedAt = this.#means.clock();
  }

  #close(fd: number): void {
    try {
      this.#means.files.close(fd);
    } catch {
      // The descriptor is gone, whatever close says (close(2)).
    }
  }
}
