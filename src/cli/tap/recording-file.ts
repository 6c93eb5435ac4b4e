/** A recording on disk. */
import { constants, open, type FileHandle } from 'node:fs/promises';
import { StartError, codeOf, messageOf } from '../../core/errors.ts';
import type { RecordLine } from '../../wire/recording/recording-reader.ts';
import { textOf, type TapSink } from './tap-stream.ts';

/** Payloads may be secret, so only the owner may read them. */
export const PRIVATE_MODE = 0o600;

/** Writes lines as they arrive. The file has only whole lines, even if the disk fills up. */
export class RecordingFile implements TapSink {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #isRegular: boolean;
  /** Whether the file did not exist before. */
  readonly isNew: boolean;
  /**
   * Whether the previous contents are gone. They stay until the first line arrives, because the tap may be
   * refused.
   */
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
   * @param force whether to replace an existing file
   * @throws StartError if the file exists or is not writable
   */
  static async create(name: string, force: boolean): Promise<RecordingFile> {
    const opened = await openFile(name, force);
    const { file } = opened;
    try {
      const isRegular = (await file.stat()).isFile();
      // An existing file keeps its mode.
      if (force && isRegular) await file.chmod(PRIVATE_MODE);
      return new RecordingFile(opened, name, isRegular);
    } catch (error) {
      await file.close();
      throw cannotWrite(name, error);
    }
  }

  /** Whether nothing has been written. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** @throws StartError if the disk is full or fails */
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

  /** @throws StartError if the disk did not accept all data */
  async close(): Promise<void> {
    try {
      await this.#file.close();
    } catch (error) {
      throw cannotWrite(this.#name, error);
    }
  }

  /** Truncates the file after the last whole line of a partial write. */
  async #cut(written: Buffer): Promise<void> {
    this.#size += written.lastIndexOf('\n') + 1;
    if (!this.#isRegular) return;
    // The error of the write is reported, not the error of the truncation.
    await this.#file.truncate(this.#size).catch(() => undefined);
  }
}

interface OpenedFile {
  readonly file: FileHandle;
  /** Whether the file did not exist before. */
  readonly isNew: boolean;
}

/**
 * Creates a file that only its owner can read, or opens the existing file.
 *
 * @throws StartError if the file exists without `force` or is not writable
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

/** Returns the error for a file that is not writable. */
function cannotWrite(name: string, error: unknown): StartError {
  return new StartError(`cannot write ${name}: ${messageOf(error)}`, { cause: error });
}
