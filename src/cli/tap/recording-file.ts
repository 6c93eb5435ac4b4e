/** A recording on disk. */
import { constants, open, type FileHandle } from 'node:fs/promises';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import type { RecordLine } from '../../wire/recording/recording-reader.ts';
import { textOf, type TapSink } from './tap-stream.ts';

/** Payloads may be secret: only the owner reads them. */
export const PRIVATE_MODE = 0o600;

/** Writes lines as they come. The file has whole lines only, also if the disk is full. */
export class RecordingFile implements TapSink {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #isRegular: boolean;
  /** Whether there was no file of this name before. */
  readonly isNew: boolean;
  /** Whether what the file had before is gone: it stays until the first line comes, as the tap may be refused. */
  #isCleared = false;
  /** Bytes of whole lines. */
  #size = 0;

  private constructor(opened: OpenedFile, name: string, isRegular: boolean) {
    this.#file = opened.file;
    this.isNew = opened.isNew;
    this.#name = name;
    this.#isRegular = isRegular;
  }

  /**
   * Creates the file.
   *
   * @param force whether an existing file is replaced
   * @throws StartError if it exists, or cannot be written
   */
  static async create(name: string, force: boolean): Promise<RecordingFile> {
    const opened = await openFile(name, force);
    const { file } = opened;
    try {
      const isRegular = (await file.stat()).isFile();
      // An existing file has its own mode.
      if (force && isRegular) await file.chmod(PRIVATE_MODE);
      return new RecordingFile(opened, name, isRegular);
    } catch (error) {
      await file.close();
      throw cannotWrite(name, error);
    }
  }

  /** Whether anything has been written. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** @throws StartError if the disk is full, or fails */
  async write(lines: readonly RecordLine[]): Promise<void> {
    const bytes = Buffer.from(textOf(lines));
    let written = 0;
    try {
      if (!this.#isCleared && this.#isRegular) await this.#file.truncate(0);
      this.#isCleared = true;
      while (written < bytes.length) {
        written += (await this.#file.write(bytes, written, bytes.length - written)).bytesWritten;
      }
      this.#size += bytes.length;
    } catch (error) {
      await this.#cut(bytes.subarray(0, written));
      throw cannotWrite(this.#name, error);
    }
  }

  /** @throws StartError if the disk has not taken everything */
  async close(): Promise<void> {
    try {
      await this.#file.close();
    } catch (error) {
      throw cannotWrite(this.#name, error);
    }
  }

  /** Leaves the whole lines of a part that was written. */
  async #cut(written: Buffer): Promise<void> {
    this.#size += written.lastIndexOf('\n') + 1;
    if (!this.#isRegular) return;
    // The error that is told is that of the write.
    await this.#file.truncate(this.#size).catch(() => undefined);
  }
}

interface OpenedFile {
  readonly file: FileHandle;
  /** Whether it did not exist before. */
  readonly isNew: boolean;
}

/**
 * Creates a file that only its owner reads, or opens the one that exists.
 *
 * @throws StartError if it exists without `force`, or cannot be written
 */
async function openFile(name: string, force: boolean): Promise<OpenedFile> {
  try {
    return { file: await open(name, 'wx', PRIVATE_MODE), isNew: true };
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw cannotWrite(name, error);
    if (!force) throw new StartError(`${name} exists: name another file, or add --force`);
  }
  try {
    return { file: await open(name, constants.O_WRONLY), isNew: false };
  } catch (error) {
    throw cannotWrite(name, error);
  }
}

/** Returns the error for a file that cannot be written. */
function cannotWrite(name: string, error: unknown): StartError {
  return new StartError(`cannot write ${name}: ${messageOf(error)}`, { cause: error });
}
