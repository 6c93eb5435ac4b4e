/** Values that a configuration takes from the environment or from files with one text each. */
import { isUtf8 } from 'node:buffer';
import { doSteps, type Steps } from '../../../core/timing/steps.ts';
import type { BaseDirectory } from '../files.ts';
import { smallFile } from '../files.ts';
import { FormatError, describe } from '../formats.ts';
import { KnownItem } from '../item-memory.ts';
import type { Path } from '../source-file.ts';
import { valueOfItem } from '../yaml/plain-yaml.ts';
import { HIDDEN } from './hidden.ts';
import { masked } from './masked.ts';
import {
  BadReferenceError,
  expandReferences,
  hasReference,
  replaceDefaults,
  type Environment,
} from './references.ts';

/** Max bytes of a file with one text. */
const MAX_TEXT_BYTES = 64 * 1024;
/** Max characters of all texts that replace references, and max bytes of all files with one text. */
const MAX_TOTAL = 8 * 1024 * 1024;

/** How a value was given: a text with references, or the absolute path of a file. */
type Given = string | { readonly file: string };

/** A value from outside, and how it was given. */
interface OutsideText {
  readonly text: string;
  readonly given: Given;
}

/** A value that is printed as it was given. */
export interface GivenValue extends OutsideText {
  readonly path: Path;
}

/** Takes errors at values. */
interface ErrorSink {
  error(path: Path, message: string): void;
}

/** Values of one load that come from outside. */
export class OutsideValues {
  /** Number of texts read from files. An item during whose reading it grows depends on a file. */
  filesRead = 0;
  /** Whether a reference could not be replaced. */
  hasFaults = false;
  readonly #env: Environment;
  readonly #base: BaseDirectory;
  /** Keyed by path. */
  readonly #texts = new Map<string, GivenValue>();
  /** Secrets from variables that override the file, keyed by path. */
  readonly #variables = new Map<string, GivenValue>();
  /** Texts that references have replaced, by their mapping or list. Aliases lead there more than once. */
  readonly #replaced = new Map<object, Map<string | number, OutsideText>>();
  #room = MAX_TOTAL;
  #fileRoom = MAX_TOTAL;

  /** @param base directory at which paths of files start */
  constructor(env: Environment, base: BaseDirectory) {
    this.#env = env;
    this.#base = base;
  }

  /** Replaces the references in a text of the configuration. @throws BadReferenceError */
  expand(text: string): string {
    const expanded = expandReferences(text, this.#env, this.#room);
    this.#room -= expanded.length;
    return expanded;
  }

  /**
   * Replaces the references in all texts of a value, in place. Keys stay as they are. Yields after each mapping or
   * list.
   */
  *replaceIn(value: unknown, path: Path, problems: ErrorSink): Steps<void> {
    if (!(value instanceof Map) && !Array.isArray(value)) return;
    const container = value as Map<string, unknown> | unknown[];
    for (const [key, child] of container.entries() as IterableIterator<[string | number, unknown]>) {
      const at = [...path, key];
      if (typeof child !== 'string') {
        yield* this.replaceIn(child, at, problems);
        continue;
      }
      const known = this.#replaced.get(container)?.get(key);
      const replaced = known ?? (hasReference(child) ? this.#replacementOf(child, at, problems) : null);
      if (replaced === null) continue;
      this.#texts.set(keyOf(at), { ...replaced, path: at });
      if (known !== undefined) continue;
      const others = this.#replaced.get(container) ?? new Map<string | number, OutsideText>();
      this.#replaced.set(container, others.set(key, replaced));
      if (Array.isArray(container)) container[Number(key)] = replaced.text;
      else container.set(String(key), replaced.text);
    }
    yield;
  }

  /** Returns the value of a list item. Parses a known item, and replaces its references. */
  valueOfItem(item: unknown, path: Path, problems: ErrorSink): unknown {
    const value = valueOfItem(item);
    if (item instanceof KnownItem && hasReference(item.text)) doSteps(this.replaceIn(value, path, problems));
    return value;
  }

  /**
   * Returns the text of a value that comes from outside: of `{ file: PATH }`, or a text with replaced
   * references. Null for other values.
   *
   * @throws FormatError if the file cannot be read
   */
  textOf(value: unknown, path: Path): string | null {
    if (!(value instanceof Map)) {
      const known = this.#texts.get(keyOf(path));
      return known !== undefined && known.text === value ? known.text : null;
    }
    const file = value.size === 1 ? (value.get('file') as unknown) : undefined;
    if (typeof file !== 'string') return null;
    return this.#read(file, path);
  }

  /** Records that a value is written at another place than in the long form. */
  moveTo(long: Path, short: Path): void {
    const known = this.#texts.get(keyOf(short));
    if (known === undefined) return;
    this.#texts.delete(keyOf(short));
    this.#texts.set(keyOf(long), { ...known, path: long });
  }

  /** Records that a variable sets a value in place of the file. Only a secret is printed as the variable. */
  setByVariable(path: Path, name: string, text: string): void {
    if (mayBeSecret(path)) this.#variables.set(keyOf(path), { path, text, given: `\${${name}}` });
  }

  /** Forgets the values at and below a path, because another source replaces them. */
  forget(path: Path): void {
    const key = keyOf(path);
    for (const values of [this.#texts, this.#variables]) {
      for (const known of values.keys()) {
        if (known === key || known.startsWith(`${key}\0`)) values.delete(known);
      }
    }
  }

  /** Completes a message about a value from outside: names its source in place of the value, which may be secret. */
  explain(path: Path, message: string): string {
    const found = this.#texts.get(keyOf(path));
    if (found === undefined) return message;
    const { text, given } = found;
    return masked(message, text, typeof given === 'string' ? describe(given) : `the text of ${given.file}`);
  }

  /** Values that are printed as they were given. */
  get printedAsGiven(): readonly GivenValue[] {
    return [...Array.from(this.#texts.values(), withoutSecret), ...this.#variables.values()];
  }

  #replacementOf(given: string, path: Path, problems: ErrorSink): OutsideText | null {
    try {
      return { given, text: this.expand(given) };
    } catch (error) {
      if (!(error instanceof BadReferenceError)) throw error;
      problems.error(path, error.message);
      this.hasFaults = true;
      return null;
    }
  }

  #read(file: string, path: Path): string {
    this.filesRead++;
    const read = smallFile(this.#base, MAX_TEXT_BYTES)(file);
    this.#fileRoom -= read.bytes.length;
    if (this.#fileRoom < 0) throw new FormatError('files with one text come to more than 8MiB: use fewer');
    if (!isUtf8(read.bytes))
      throw new FormatError(`${describe(file)} is not text in UTF-8 (looked at ${read.path})`);
    const text = read.bytes.toString('utf8').replace(/\r?\n$/, '');
    if (text === '')
      throw new FormatError(`${describe(file)} is empty: write the value into it (looked at ${read.path})`);
    this.#texts.set(keyOf(path), { path, text, given: { file: read.path } });
    return text;
  }
}

function keyOf(path: Path): string {
  return path.join('\0');
}

/** Hides what the configuration itself contains of a secret: defaults, and a token's text beside a reference. */
function withoutSecret(value: GivenValue): GivenValue {
  const { path, given } = value;
  if (typeof given !== 'string') return value;
  const isSecret = path.at(-1) === 'token' || path.at(-1) === 'secret';
  if (!isSecret && !SECRET_URLS.has(path.join('.'))) return value;
  const shown = replaceDefaults(given, HIDDEN);
  return { ...value, given: isSecret && !ONE_REFERENCE.test(shown) ? HIDDEN : shown };
}

/** URLs that may have a password or a key. */
const SECRET_URLS: ReadonlySet<string> = new Set(['redis.url', 'tracing.url']);
const ONE_REFERENCE = /^\$\{[^}]*\}$/;

/** Keys of secrets and of URLs with passwords, which variables of sluice can set. */
const SECRET_KEYS: ReadonlySet<unknown> = new Set(['token', 'secret', 'url']);

function mayBeSecret(path: Path): boolean {
  return path.some((step) => SECRET_KEYS.has(step));
}
