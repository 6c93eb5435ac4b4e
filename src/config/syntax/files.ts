/** Files and directories named in a configuration. Relative paths start at the configuration's directory. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf, messageOf } from '../../core/errors.ts';
import { formatByteSize } from '../../core/units/byte-size.ts';
import type { Format } from './formats.ts';
import { FormatError, describe, text } from './formats.ts';

/** The directory at which relative paths of a configuration start. */
export class BaseDirectory {
  readonly path: string;
  /** Absolute paths of all files that the load tried to read. */
  readonly files = new Set<string>();

  constructor(path: string) {
    this.path = path;
  }
}

export interface TextFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

interface BinaryFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** Max bytes of a certificate or key file. The authorities of an operating system take 0.3 MiB. */
export const MAX_PEM_BYTES = 4 * 1024 * 1024;

const READ_BYTES = 64 * 1024;

/**
 * The file is not regular or too large. The message completes a sentence after the file name: `is a pipe`.
 */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'file not found',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'the name is too long',
  // `open` refuses UNIX sockets with this code.
  ENXIO: 'it is not a regular file',
};

/** Explains why a file cannot be read. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? messageOf(error);
}

/**
 * Reads a regular file up to a limit without blocking. A pipe may never get a writer, and a device may never
 * end.
 *
 * @throws a file system error; UnreadableError if the file is not regular or exceeds `maxBytes`
 */
export function readRegularFile(path: string, maxBytes: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const kind = fstatSync(file);
    if (kind.isFIFO()) throw new UnreadableError('is a pipe: write it to a file');
    // Reading a directory fails with the system's own error.
    if (!kind.isFile() && !kind.isDirectory()) throw new UnreadableError('is not a regular file');
    const chunks: Buffer[] = [];
    let length = 0;
    // `stat` reports size 0 for files under /proc. The last read detects the end of the file.
    let room = kind.size === 0 ? READ_BYTES : Math.min(kind.size, maxBytes) + 1;
    for (;;) {
      const chunk = Buffer.allocUnsafe(room);
      const count = readSync(file, chunk);
      if (count === 0) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
      room = READ_BYTES;
      length += count;
      if (length > maxBytes) throw new UnreadableError(`is larger than ${formatByteSize(maxBytes)}`);
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/** Returns the format of an existing directory. Reads its absolute path. */
export function directory(base: BaseDirectory): Format<string> {
  const read = text('a directory');
  return (value) => {
    const path = resolve(base.path, read(value));
    let found;
    try {
      found = statSync(path);
    } catch (error) {
      const reason = codeOf(error) === 'ENOENT' ? 'directory not found' : reasonOf(error);
      throw new FormatError(`${describe(value)} cannot be used: ${reason} (looked for ${path})`);
    }
    if (!found.isDirectory())
      throw new FormatError(`${describe(value)} is not a directory (looked at ${path})`);
    return path;
  };
}

/** Returns the format of a regular file of at most {@link MAX_PEM_BYTES}. Reads its text. */
export function textFile(base: BaseDirectory): Format<TextFile> {
  const read = smallFile(base, MAX_PEM_BYTES);
  return (value) => {
    const { path, bytes } = read(value);
    return { path, text: bytes.toString('utf8') };
  };
}

/** Returns the format of a regular file of at most `maxBytes`. Reads its bytes. */
export function smallFile(base: BaseDirectory, maxBytes: number): Format<BinaryFile> {
  const read = text('a file');
  return (value) => {
    const path = resolve(base.path, read(value));
    base.files.add(path);
    try {
      return { path, bytes: readRegularFile(path, maxBytes) };
    } catch (error) {
      if (error instanceof UnreadableError) {
        throw new FormatError(`${describe(value)} ${error.message} (looked at ${path})`);
      }
      throw new FormatError(`${describe(value)} cannot be read: ${reasonOf(error)} (looked for ${path})`);
    }
  };
}
