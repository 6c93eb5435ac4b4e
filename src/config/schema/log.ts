/** Reads the key `log` of the root. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { BaseDirectory } from '../syntax/files.ts';
import { directory } from '../syntax/files.ts';
import { duration, nullable, oneOf, text } from '../syntax/formats.ts';
import type { Problems } from '../syntax/problems.ts';
import { readValue, Section } from '../syntax/section.ts';
import type { Path } from '../syntax/source-file.ts';
import type { AccessLogSettings, LogSettings } from '../types/config.ts';
import { fieldName, keptFiles, rotationSize } from './log-formats.ts';
import type { Settings } from './settings.ts';
import { ratio } from './tracing/formats.ts';

const DEFAULT_KEPT_FILES = 5;
const ACCESS_PATH = ['log', 'access'];
const ACCESS_SHAPE = {
  what: '"log.access"',
  keys: ['file', 'format', 'sample', 'fields', 'slow', 'maxSize', 'keep'],
};

/** Reads the settings of the log and the access log. */
export function readLog(settings: Settings, base: BaseDirectory, problems: Problems): LogSettings {
  const named = settings.read('log.file');
  const file = named === null ? null : fileToWrite(named, ['log', 'file'], base, problems);
  const maxSize = settings.read('log.maxSize');
  const keep = settings.read('log.keep');
  checkRotation(['log'], { file, maxSize, keep }, 'log.', problems);
  return {
    level: settings.read('log.level'),
    format: settings.read('log.format'),
    access: readAccess(settings.read('log.access'), file, base, problems),
    principal: settings.read('log.principal'),
    file,
    maxSizeBytes: maxSize ?? 0,
    keep: keep ?? DEFAULT_KEPT_FILES,
  };
}

/**
 * Returns the absolute path of an output file. Adds an error if it is a directory, or its directory does not
 * exist.
 */
export function fileToWrite(file: string, path: Path, base: BaseDirectory, problems: Problems): string {
  const absolute = resolve(base.path, file);
  try {
    directory(base)(dirname(absolute));
    if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true)
      problems.valueError(path, `"${file}" is a directory: name a file in it`);
  } catch (error) {
    problems.valueError(path, messageOf(error));
  }
  return absolute;
}

/** @param logFile absolute path of the log file; null for standard output */
function readAccess(
  value: boolean | ReadonlyMap<string, unknown>,
  logFile: string | null,
  base: BaseDirectory,
  problems: Problems,
): AccessLogSettings | null {
  if (value === false) return null;
  const keys = value === true ? new Map<string, unknown>() : value;
  const section = Section.of(keys, ACCESS_PATH, problems, ACCESS_SHAPE)!;
  const named = section.optional('file', nullable(text('a file')), null);
  const file = named === null ? null : fileToWrite(named, [...ACCESS_PATH, 'file'], base, problems);
  if (file !== null && file === logFile) {
    section.problemAt('file', 'the log uses this file: name another, or leave the key out to share it');
  }
  const format = section.optional('format', oneOf('json', 'combined', 'text'), 'json');
  const maxSize = section.optional('maxSize', nullable(rotationSize), null);
  const keep = section.optional('keep', nullable(keptFiles), null);
  checkRotation(ACCESS_PATH, { file, maxSize, keep }, 'log.access.', problems);
  return {
    file,
    format,
    sample: section.optional('sample', ratio, 1),
    fields: readFields(section, format, problems),
    slowMs: section.optional('slow', duration({ min: 1, max: 3_600_000, zero: 'none' }), 0),
    maxSizeBytes: maxSize ?? 0,
    keep: keep ?? DEFAULT_KEPT_FILES,
  };
}

function readFields(section: Section, format: string, problems: Problems): readonly string[] | null {
  if (!section.has('fields')) return null;
  if (format !== 'json') {
    section.problemAt(
      'fields',
      `lines of the format ${format} have fixed fields: write format: json, or leave fields out`,
    );
  }
  const elements = section.anyNumber('fields', 'names of fields');
  if (elements.length === 0)
    section.problemAt('fields', 'the list is empty: name at least one field, or leave fields out');
  return [...new Set(elements.map(({ value, path }) => readValue(value, path, problems, fieldName, '')))];
}

/** Adds an error for each rotation key without effect. @param prefix prefix of the keys in messages */
function checkRotation(
  path: Path,
  rotation: {
    readonly file: string | null;
    readonly maxSize: number | null;
    readonly keep: number | null;
  },
  prefix: string,
  problems: Problems,
): void {
  const { file, maxSize, keep } = rotation;
  if (maxSize !== null && maxSize > 0 && file === null) {
    problems.error(
      [...path, 'maxSize'],
      `maxSize does nothing without ${prefix}file: set that too, or leave maxSize out`,
    );
  }
  if (keep !== null && (maxSize ?? 0) === 0) {
    problems.error(
      [...path, 'keep'],
      `keep does nothing without ${prefix}maxSize: set that too, or leave keep out`,
    );
  }
}
