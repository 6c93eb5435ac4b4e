import { readFileSync } from 'node:fs';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError, codeOf, messageOf } from '../../../core/errors.ts';
import type { Revocation } from '../../../protocol/access.ts';
import { LineLimit } from '../../../telemetry/line-limit.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { readRows, rowOf } from './revocation-codec.ts';

/** Replaces a file atomically: another process sees the old text or the new one, even after a power loss. */
type WriteFile = (path: string, text: string) => Promise<void>;

interface FileOptions {
  readonly write?: WriteFile;
  /** Changes within this time share one write. */
  readonly delayMs?: number;
  readonly retryMs?: number;
}

const VERSION = 1;
const DELAY_MS = 20;
const RETRY_MS = 5000;
/** A user who can write the file can undo revocations. */
const MODE = 0o600;

/**
 * Reads the revocations that {@link RevocationFile} wrote. A missing file means no revocations.
 *
 * @throws StartError with the remedy, if the file cannot be read
 */
export function readRevocationFile(path: string): readonly Revocation[] {
  try {
    const { version, revocations } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (version !== VERSION) throw new Error(`its version is not ${VERSION}`);
    return readRows(revocations);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    // A parser's message may quote lines of the file.
    const [problem = ''] = messageOf(error).split('\n');
    throw new StartError(
      `revocations.file ${path} cannot be read: ${problem}: repair the file, or remove it to start without revocations`,
      { cause: error },
    );
  }
}

/** Stores revocations in a file. Failed writes are logged, counted and retried. They block nothing. */
export class RevocationFile {
  readonly path: string;
  readonly #log: Logger;
  readonly #all: () => readonly Revocation[];
  readonly #onFailure: () => void;
  readonly #write: WriteFile;
  readonly #delayMs: number;
  readonly #retryMs: number;
  readonly #lineLimit = new LineLimit();
  #timer: NodeJS.Timeout | undefined;
  /** Settles with the next write; null if nothing has changed since the last write began. */
  #next: PromiseWithResolvers<void> | null = null;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param all returns the revocations in force */
  constructor(
    path: string,
    all: () => readonly Revocation[],
    log: Logger,
    onFailure: () => void,
    { write = writeAtomically, delayMs = DELAY_MS, retryMs = RETRY_MS }: FileOptions = {},
  ) {
    this.path = path;
    this.#all = all;
    this.#log = log;
    this.#onFailure = onFailure;
    this.#write = write;
    this.#delayMs = delayMs;
    this.#retryMs = retryMs;
  }

  /** Schedules a write. Resolves after the attempt, successful or not. */
  save(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#next === null) {
      this.#next = Promise.withResolvers();
      this.#arm(this.#delayMs);
    }
    return this.#next.promise;
  }

  /** Writes pending changes, then stops writing. Resolves after the attempt. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#begin();
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#begin(), ms);
  }

  #begin(): Promise<void> {
    // One write at a time: concurrent writes would share the temporary file.
    this.#writing = this.#writing.then(() => this.#writeOnce());
    return this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const next = this.#next;
    if (next === null) return;
    this.#next = null;
    const revocations = this.#all().map(rowOf);
    try {
      await this.#write(this.path, `${JSON.stringify({ version: VERSION, revocations }, null, 1)}\n`);
    } catch (error) {
      this.#onFailure();
      const more = this.#lineLimit.take();
      const reason = messageOf(error);
      if (more !== null) this.#log.error({ file: this.path, reason, ...more }, 'revocations not written');
      this.#retry();
    }
    next.resolve();
  }

  #retry(): void {
    if (this.#closed || this.#next !== null) return;
    this.#next = Promise.withResolvers();
    this.#arm(this.#retryMs);
  }
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeDurably(await open(temporary, 'w', MODE), text);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  // The new name is durable only after the directory is synced.
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function writeDurably(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
