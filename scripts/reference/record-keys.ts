/** Records every key that the schema reads, by loading configurations that contain all of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { doSteps } from '../../src/core/timing/steps.ts';
import { readRoot } from '../../src/config/schema/root.ts';
import { Settings } from '../../src/config/schema/settings.ts';
import type { FormatDescription } from '../../src/config/syntax/format-description.ts';
import { describeFormat } from '../../src/config/syntax/format-description.ts';
import { BaseDirectory } from '../../src/config/syntax/files.ts';
import { Composition } from '../../src/config/syntax/composition.ts';
import { text } from '../../src/config/syntax/formats.ts';
import { ItemMemory } from '../../src/config/syntax/item-memory.ts';
import type { KeyObserver } from '../../src/config/syntax/key-observer.ts';
import { OutsideValues } from '../../src/config/syntax/outside/outside-values.ts';
import { Problems } from '../../src/config/syntax/problems.ts';
import type { Path } from '../../src/config/syntax/source-file.ts';
import { SourceFile } from '../../src/config/syntax/source-file.ts';
import { WHOLE, WHOLE_FILES } from '../../test/unit/config/whole.ts';
import { clusterPath } from './cluster-paths.ts';

/** Facts about one key, as recorded while the schema reads it. */
export interface RecordedKey {
  /** Mappings that have the key, by their names in messages. */
  readonly mappings: Set<string>;
  /** Distinct formats, in the order of reading. */
  readonly formats: FormatDescription[];
  isRequired: boolean;
  /** Values that replace a missing key, in the program's units. */
  readonly fallbacks: Set<unknown>;
  /** Engines that know the key; null if all do. */
  engines: readonly string[] | null;
}

/** Secrets, which {@link WHOLE} omits. */
const SECRETS = ['admin.token="0123456789abcdef"', 'tracing.headers={x-api-key: key}'];

/** Loads the whole configuration. Returns the recorded keys by path, without the indexes of lists. */
export function recordKeys(): ReadonlyMap<string, RecordedKey> {
  const recorder = new Recorder();
  readWhole(recorder);
  return recorder.keys;
}

/**
 * Loads the whole configuration under the eyes of an observer.
 *
 * @throws Error with the messages of the loader if the configuration is not valid
 */
export function readWhole(observer: KeyObserver): void {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-reference-'));
  try {
    mkdirSync(join(directory, "it's here"));
    for (const [name, content] of Object.entries(WHOLE_FILES)) writeFileSync(join(directory, name), content);
    const file = new SourceFile(WHOLE);
    const base = new BaseDirectory(directory);
    const files = Composition.of('whole.yaml', file);
    const problems = new Problems(files, new OutsideValues({}, base), observer);
    // The loader reads this key before all others.
    observer.mapping([], 'a configuration', ['include']);
    observer.list(['include'], 'files', 0);
    observer.value?.(['include', 0], text('a file'));
    const settings = new Settings({}, problems);
    settings.loadFile(file.root);
    for (const secret of SECRETS) settings.override(secret);
    doSteps(readRoot(settings, base, problems, new ItemMemory().begin(), null));
    if (problems.errors.length > 0) throw new Error(problems.errors.map(({ message }) => message).join('\n'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

class Recorder implements KeyObserver {
  readonly keys = new Map<string, RecordedKey>();

  mapping(path: Path, what: string, keys: readonly string[]): void {
    for (const key of keys) this.#key([...path, key]).mappings.add(what);
  }

  optional(path: Path, format: (value: unknown) => unknown, fallback: unknown): void {
    const key = this.#key(path);
    this.#describe(key, format);
    key.fallbacks.add(fallback);
  }

  required(path: Path, format: (value: unknown) => unknown): void {
    const key = this.#key(path);
    this.#describe(key, format);
    key.isRequired = true;
  }

  list(path: Path, of: string, min: number): void {
    const { formats } = this.#key(path);
    if (!formats.some((format) => format.type === 'list')) formats.push({ type: 'list', of, min });
  }

  engines(path: Path, keys: readonly string[], engines: readonly string[]): void {
    for (const key of keys) this.#key([...path, key]).engines = engines;
  }

  #describe({ formats }: RecordedKey, format: (value: unknown) => unknown): void {
    const found = describeFormat(format);
    const text = JSON.stringify(found);
    if (found !== null && formats.every((other) => JSON.stringify(other) !== text)) formats.push(found);
  }

  #key(path: Path): RecordedKey {
    const name = clusterPath(path)
      .filter((step) => typeof step === 'string')
      .join('.');
    let key = this.keys.get(name);
    if (key === undefined) {
      key = { mappings: new Set(), formats: [], isRequired: false, fallbacks: new Set(), engines: null };
      this.keys.set(name, key);
    }
    return key;
  }
}
