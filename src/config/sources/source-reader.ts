/** Reads a configuration file and the files that it includes. */
import { isAscii } from 'node:buffer';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import type { Steps } from '../../core/timing/steps.ts';
import { formatByteSize } from '../../core/units/byte-size.ts';
import { UnreadableError, readRegularFile, reasonOf } from '../syntax/files.ts';
import { describe } from '../syntax/formats.ts';
import { countValues, type ItemReading } from '../syntax/item-memory.ts';
import type { OutsideValues } from '../syntax/outside/outside-values.ts';
import { BadReferenceError } from '../syntax/outside/references.ts';
import { SourceFile } from '../syntax/source-file.ts';
import { MAX_VALUES } from '../syntax/yaml/limits.ts';
import { ROUTES_PATH } from '../syntax/yaml/plain-yaml.ts';
import { Composition, type Origin, type Part } from '../syntax/composition.ts';
import { hasPatternInDirectory, isPattern, matchesOf } from './file-pattern.ts';

/** Max bytes of a configuration with all included files. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
/** Max files of a configuration. Each takes about 0.1 ms to read. */
const MAX_FILES = 5000;
/** Max levels of files that include files. */
const MAX_LEVELS = 8;

/** Content of a file: the keys of the root, or a list of routes. */
type Content = 'keys' | 'routes';

/** The file in which a configuration begins. */
export interface MainFile {
  /** Path as the user wrote it. */
  readonly file: string;
  /** Text in place of the file's; undefined to read the file. */
  readonly text?: string | undefined;
}

/** An entry that names files, and the files that lead to it. */
interface Inclusion {
  /** Position of the entry. */
  readonly origin: Origin;
  readonly entry: unknown;
  /** From the main file to the file with the entry. */
  readonly chain: readonly Part[];
  readonly content: Content;
}

/** Reads the files of one load. */
export class SourceReader {
  readonly composition: Composition;
  /** Absolute paths of all files that the load tried to read, and of patterns. */
  readonly files = new Set<string>();
  readonly #base: string;
  readonly #outside: OutsideValues;
  readonly #items: ItemReading | null;
  readonly #parts = new Map<string, Part>();
  #room: number;
  #values: number;

  private constructor(main: Part, bytes: number, outside: OutsideValues, items: ItemReading | null) {
    this.composition = new Composition(main);
    this.#base = dirname(main.path);
    this.#outside = outside;
    this.#items = items;
    this.#room = MAX_CONFIG_BYTES - bytes;
    this.#values = 0;
    this.#parts.set(main.path, main);
  }

  /**
   * Reads the main file.
   *
   * @param items finds items of an earlier load; null to read all
   * @throws ConfigError if the file cannot be read
   */
  static *of(
    { file: name, text }: MainFile,
    outside: OutsideValues,
    items: ItemReading | null,
  ): Steps<SourceReader> {
    const bytes = text === undefined ? readMain(name) : Buffer.from(text);
    yield;
    const main = { name, path: resolve(name), file: yield* parsed(bytes, 'keys', items), order: 0 };
    const reader = new SourceReader(main, bytes.length, outside, items);
    if (text === undefined) reader.files.add(main.path);
    return reader;
  }

  /** Reads the files that an entry names. Adds an error for each that cannot be read. */
  *read(inclusion: Inclusion): Steps<readonly Part[]> {
    const { origin, entry, chain, content } = inclusion;
    const { composition } = this;
    if (typeof entry !== 'string' || entry === '') {
      composition.error(
        origin,
        `include: ${describe(entry)} is not a file: write a path such as "sites/*.yaml"`,
      );
      return [];
    }
    if (chain.length > MAX_LEVELS) {
      composition.error(origin, `files include files more than ${MAX_LEVELS} levels deep: use fewer levels`);
      return [];
    }
    const paths = this.#pathsOf(entry, origin);
    const parts: Part[] = [];
    for (const { path, name } of paths) {
      if (composition.errors.length > MAX_FILES) break;
      const circle = chain.findIndex((part) => part.path === path);
      if (circle !== -1) {
        const names = [...chain.slice(circle).map((part) => part.name), name].join(' > ');
        composition.error(origin, `this include is a circle: ${names}. Remove one include of it`);
        continue;
      }
      const part = yield* this.#part(path, name, inclusion);
      if (part?.file.broken !== null) continue;
      // Values of a file count at each use, as with aliases.
      this.#values += countValues(part.file.root);
      if (this.#values <= MAX_VALUES) parts.push(part);
    }
    if (this.#values > MAX_VALUES) {
      composition.error(
        origin,
        `included files come to more than ${MAX_VALUES} values: include fewer of them`,
      );
    }
    return content === 'keys' ? parts : parts.filter((part) => part.file.root !== null);
  }

  /** Returns the paths and names of the files that an entry names. */
  #pathsOf(entry: string, origin: Origin): readonly { readonly path: string; readonly name: string }[] {
    let written;
    try {
      written = this.#outside.expand(entry);
    } catch (error) {
      if (!(error instanceof BadReferenceError)) throw error;
      this.composition.error(origin, error.message);
      return [];
    }
    const path = resolve(this.#base, written);
    const named = (file: string): { path: string; name: string } => ({
      path: file,
      name: isAbsolute(written)
        ? file
        : join(dirname(this.composition.main.name), relative(this.#base, file)),
    });
    if (hasPatternInDirectory(written)) {
      this.composition.error(
        origin,
        `${describe(written)} has a star in a directory: only the last part may have one`,
      );
      return [];
    }
    if (!isPattern(written)) return [named(path)];
    this.files.add(path);
    try {
      const matches = matchesOf(path);
      if (matches.length === 0) {
        this.composition.warning(origin, `no file matches ${describe(written)} (looked in ${dirname(path)})`);
      }
      return matches.map(named);
    } catch (error) {
      this.composition.error(
        origin,
        `${describe(written)} cannot be listed: ${reasonOf(error)} (looked in ${dirname(path)})`,
      );
      return [];
    }
  }

  /** Reads one file, unless it is known. Returns null after an error. */
  *#part(path: string, name: string, { origin, content }: Inclusion): Steps<Part | null> {
    const { composition } = this;
    const known = this.#parts.get(path);
    if (known !== undefined) {
      if (content === 'routes') return known;
      composition.error(origin, `${name} is included twice: keep one of them`);
      return null;
    }
    if (this.#parts.size >= MAX_FILES) {
      composition.error(origin, `more than ${MAX_FILES} files: join some of them`);
      return null;
    }
    this.files.add(path);
    let bytes;
    try {
      bytes = readRegularFile(path, MAX_CONFIG_BYTES);
    } catch (error) {
      const reason = error instanceof UnreadableError ? error.message : `cannot be read: ${reasonOf(error)}`;
      composition.error(origin, `the included file ${name} ${reason} (looked for ${path})`);
      return null;
    }
    this.#room -= bytes.length;
    if (this.#room < 0) {
      composition.error(
        origin,
        `all files come to more than ${formatByteSize(MAX_CONFIG_BYTES)}: leave out comments and defaults`,
      );
      return null;
    }
    const part = { name, path, file: yield* parsed(bytes, content, this.#items), order: this.#parts.size };
    this.#parts.set(path, part);
    composition.add(part);
    yield;
    return part;
  }
}

function* parsed(bytes: Buffer, content: Content, items: ItemReading | null): Steps<SourceFile> {
  const text = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
  yield;
  return yield* SourceFile.read(text, items, content === 'routes' ? ROUTES_PATH : '');
}

function readMain(file: string): Buffer {
  try {
    return readRegularFile(file, MAX_CONFIG_BYTES);
  } catch (error) {
    if (error instanceof UnreadableError) throw new ConfigError([{ place: file, message: error.message }]);
    throw new ConfigError([
      {
        place: file,
        message: `cannot be read: ${reasonOf(error)}${isAbsolute(file) ? '' : ` (looked for ${resolve(file)})`}`,
      },
    ]);
  }
}
