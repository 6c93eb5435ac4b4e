/** Files and directories that a configuration names. A relative path begins at the configuration's directory. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Format } from './formats.ts';
import { FormatError, describe, text } from './formats.ts';

/** Where a relative path of a configuration begins. */
export class BaseDirectory {
  readonly path: string;
  /** The text files that have been asked for, whether they could be read or not, as absolute paths. */
  readonly textFiles = new Set<string>();

  constructor(path: string) {
    this.path = path;
  }
}

export interface TextFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ELOOP: 'its symbolic links form a circle',
  ENAMETOOLONG: 'the name is too long',
};

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? messageOf(error);
}

/** An existing directory, as an absolute path. */
export function directory(base: BaseDirectory): Format<string> {
  const read = text('a directory');
  return (value) => {
    const path = resolve(base.path, read(value));
    let found;
    try {
      found = statSync(path);
    } catch (error) {
      const reason = codeOf(error) === 'ENOENT' ? 'there is no such directory' : reasonOf(error);
      throw new FormatError(`${describe(value)} cannot be used: ${reason} (looked for ${path})`);
    }
    if (!found.isDirectory())
      throw new FormatError(`${describe(value)} is not a directory (looked at ${path})`);
    return path;
  };
}

/** A regular file that can be read now. */
export function textFile(base: BaseDirectory): Format<TextFile> {
  const read = text('a file');
  return (value) => {
    const path = resolve(base.path, read(value));
    base.textFiles.add(path);
    try {
      // Reading a device or a pipe might never end.
      if (statSync(path).isFile()) return { path, text: readFileSync(path, 'utf8') };
    } catch (error) {
      throw new FormatError(`${describe(value)} cannot be read: ${reasonOf(error)} (looked for ${path})`);
    }
    throw new FormatError(`${describe(value)} is not a file (looked at ${path})`);
  };
}
