import type { Path } from './source-file.ts';

/**
 * Receives what the schema reads from a configuration. Scripts list every key by it; a running proxy has no
 * observer.
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
  /** Called for keys that only some engines know. `keys` are below `path`. */
  readonly engines: (path: Path, keys: readonly string[], engines: readonly string[]) => void;
}
