/** Reads a configuration file and the files that it includes. */
import { isAscii } from 'node:buffer';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import type { Steps } from '../../core/timing/steps.ts';
import { formatByteSize } from '../../core/units/byte-size.ts';
import { Composition, type Origin, type Part } from '../syntax/composition.ts';
import { UnreadableError, readRegularFile, reasonOf } from '../syntax/files.ts';
import { describe } from '../syntax/formats.ts';
import { countValues, type ItemReading } from '../syntax/item-memory.ts';
import type { OutsideValues } from '../syntax/outside/outside-values.ts';
import { BadReferenceError } from '../syntax/outside/references.ts';
import { SourceFile } from '../syntax/source-file.ts';
import { MAX_VALUES } from '../syntax/yaml/limits.ts';
import { ROUTES_PATH } from '../syntax/yaml/plain-yaml.ts';
import { hasPatternInDirectory, isPattern, matchesOf } from './file-pattern.ts';

/** Max bytes of a configuration with all included files. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
/** Max files of a configuration. Each takes about 0.1 ms to read. */
const MAX_FILES = 5000;
/** No more files are read after this number of errors. */
const MAX_ERRORS = 1000;
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

/** A file that an entry names. */
interface NamedFile {
  /** Absolute. */
  readonly path: string;
  /** Path for messages. */
  readonly name: string;
}

/** A file that was read, and the number of its values. */
interface KnownPart {
  readonly part: Part;
  readonly values: number;
}

/** Reads the files of one load. */
export class SourceReader {
  readonly composition: Composition;
  /** Absolute paths of all files that the load tried to read, and of patterns. */
  readonly files = new Set<string>();
  readonly #base: string;
  readonly #outside: OutsideValues;
  readonly #items: ItemReading | null;
  /** Keyed by absolute path. */
  readonly #parts = new Map<string, KnownPart>();
  /** Matches of patterns, keyed by absolute path. A load lists each directory once. */
  readonly #matches = new Map<string, readonly NamedFile[]>();
  #room: number;
  #values = 0;
  /** Whether a limit is exceeded. Then no more files are read. */
  #isFull = false;

  private constructor(main: Part, bytes: number, outside: OutsideValues, items: ItemReading | null) {
    this.composition = new Composition(main);
    this.#base = dirname(main.path);
    this.#outside = outside;
    this.#items = items;
    this.#room = MAX_CONFIG_BYTES - bytes;
    this.#parts.set(main.path, { part: main, values: 0 });
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

  /**
   * Reads the files that an entry names. Adds an error for each that cannot be read. Yields at least once, because a
   * list may have many entries.
   */
  *read(inclusion: Inclusion): Steps<readonly Part[]> {
    const { origin, entry, chain, content } = inclusion;
    const { composition } = this;
    yield;
    if (this.#isOver()) return [];
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
    const parts: Part[] = [];
    for (const named of this.#filesOf(entry, origin)) {
      const known = this.#isCircle(named, inclusion) ? null : yield* this.#part(named, inclusion);
      if (this.#isOver()) return [];
      // Values of a file count at each use, as with aliases.
      this.#values += known?.values ?? 1;
      if (this.#values > MAX_VALUES) {
        this.#refuseMore(
          origin,
          `included files come to more than ${MAX_VALUES} values: include fewer of them`,
        );
        return [];
      }
      if (known !== null && known.part.file.broken === null) parts.push(known.part);
    }
    return content === 'keys' ? parts : parts.filter((part) => part.file.root !== null);
  }

  #isOver(): boolean {
    return this.#isFull || this.composition.errors.length > MAX_ERRORS;
  }

  /** Adds an error about a limit. It is the last one, because each further file would cause it again. */
  #refuseMore(origin: Origin, message: string): void {
    this.#isFull = true;
    this.composition.error(origin, message);
  }

  /** Whether a file leads to itself. Adds an error then. */
  #isCircle({ path, name }: NamedFile, { origin, chain }: Inclusion): boolean {
    const circle = chain.findIndex((part) => part.path === path);
    if (circle === -1) return false;
    const names = [...chain.slice(circle).map((part) => part.name), name].join(' > ');
    this.composition.error(origin, `this include is a circle: ${names}. Remove one include of it`);
    return true;
  }

  /** Returns the files that an entry names, except the file that has the entry if it matches a pattern. */
  #filesOf(entry: string, origin: Origin): readonly NamedFile[] {
    let written;
    try {
      written = this.#outside.expand(entry);
    } catch (error) {
      if (!(error instanceof BadReferenceError)) throw error;
      this.composition.error(origin, error.message);
      return [];
    }
    if (hasPatternInDirectory(written)) {
      this.composition.error(
        origin,
        `${describe(entry)} has a star in a directory: only the last part may have one`,
      );
      return [];
    }
    const path = resolve(this.#base, written);
    if (!isPattern(written)) return [this.#named(path, isAbsolute(written))];
    this.files.add(path);
    try {
      const matches = this.#matchesOf(path, isAbsolute(written)).filter(
        (file) => file.path !== origin.part.path,
      );
      if (matches.length === 0) {
        this.composition.warning(origin, `no file matches ${describe(entry)} (looked in ${dirname(path)})`);
      }
      return matches;
    } catch (error) {
      this.composition.error(
        origin,
        `${describe(entry)} cannot be listed: ${reasonOf(error)} (looked in ${dirname(path)})`,
      );
      return [];
    }
  }

  #matchesOf(pattern: string, isAbsolute: boolean): readonly NamedFile[] {
    const key = `${isAbsolute ? 'absolute' : 'relative'} ${pattern}`;
    const known = this.#matches.get(key);
    if (known !== undefined) return known;
    const matches = matchesOf(pattern).map((path) => this.#named(path, isAbsolute));
    this.#matches.set(key, matches);
    return matches;
  }

  #named(path: string, isAbsolute: boolean): NamedFile {
    if (isAbsolute) return { path, name: path };
    return { path, name: join(dirname(this.composition.main.name), relative(this.#base, path)) };
  }

  /** Reads one file, unless it is known. Returns null after an error. */
  *#part({ path, name }: NamedFile, { origin, content }: Inclusion): Steps<KnownPart | null> {
    const { composition } = this;
    const known = this.#parts.get(path);
    if (known !== undefined) {
      if (content === 'routes') return known;
      composition.error(origin, `${name} is included twice: keep one of them`);
      return null;
    }
    if (this.#parts.size >= MAX_FILES) {
      this.#refuseMore(origin, `more than ${MAX_FILES} files: join some of them`);
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
      this.#refuseMore(
        origin,
        `all files come to more than ${formatByteSize(MAX_CONFIG_BYTES)}: leave out comments and defaults`,
      );
      return null;
    }
    const part = { name, path, file: yield* parsed(bytes, content, this.#items), order: this.#parts.size };
    const read = { part, values: countValues(part.file.root) };
    this.#parts.set(path, read);
    composition.add(part);
    yield;
    return read;
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
