import type { FormatDescription } from './format-description.ts';
import type { Path } from './source-file.ts';

/**
 * Receives what the schema reads from a configuration. Scripts list every key by it; a running proxy has no
 * observer. An observer without a method ignores the calls.
 */
export interface KeyObserver {
  /** Called when a mapping is read. `what` names it in messages. */
  readonly mapping: (path: Path, what: string, keys: readonly string[]) => void;
  /** Called when an optional key is read, present or not. */
  readonly optional: (path: Path, format: (value: unknown) => unknown, fallback: unknown) => void;
  /** Called when a required key is read. */
  readonly required: (path: Path, format: (value: unknown) => unknown) => void;
  /** Called when a list is read. `of` names its elements. */
  readonly list: (path: Path, of: string, min: number) => void;
  /** Called when a single value is read: of a key, or an element of a list. */
  readonly value?: (path: Path, format: (value: unknown) => unknown) => void;
  /** Called for a form that a value may have besides its formats, mappings and lists. */
  readonly form?: (path: Path, form: FormatDescription) => void;
  /** Called when one element may stand for a list. */
  readonly single?: (path: Path) => void;
  /** Called for a mapping with exactly one of some keys. */
  readonly only?: (path: Path, keys: readonly string[]) => void;
  /** Called for keys that only some engines know. `keys` are below `path`. */
  readonly engines?: (path: Path, keys: readonly string[], engines: readonly string[]) => void;
}
