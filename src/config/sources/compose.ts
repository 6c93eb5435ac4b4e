/** Joins the files of a configuration: `include` at the root, and `- include: FILE` in lists of routes. */
import type { Steps } from '../../core/timing/steps.ts';
import type { Composition, Origin, Part } from '../syntax/composition.ts';
import type { ItemReading } from '../syntax/item-memory.ts';
import type { OutsideValues } from '../syntax/outside/outside-values.ts';
import { isMapping } from '../syntax/section.ts';
import { childOrigin, mergeRoots } from './merged-root.ts';
import { SourceReader, type MainFile } from './source-reader.ts';

/** Items of a list that are appended before the next step. */
const ITEMS_PER_STEP = 1000;

/** A configuration and the files to watch. */
interface ComposedFiles {
  readonly composition: Composition;
  /** Absolute paths of all files that the load tried to read, and of patterns. */
  readonly files: readonly string[];
}

/**
 * Reads a configuration file and all files that it includes. Problems of the files are in the composition.
 *
 * @param main path of the main file as the user wrote it, and its text if it is not read
 * @param items finds items of an earlier load; null to read all
 * @throws ConfigError if the main file cannot be read
 */
export function* composeFiles(
  main: MainFile,
  outside: OutsideValues,
  items: ItemReading | null,
): Steps<ComposedFiles> {
  const reader = yield* SourceReader.of(main, outside, items);
  const { composition } = reader;
  const parts = yield* withIncluded(composition.main, [composition.main], reader);
  if (parts.length > 1) composition.root = yield* mergeRoots(parts, composition);
  yield* insertRoutes(reader);
  return { composition, files: [...reader.files] };
}

/** Returns a file, and after it the files that it includes. */
function* withIncluded(part: Part, chain: readonly Part[], reader: SourceReader): Steps<readonly Part[]> {
  const root = part.file.root as Map<string, unknown> | null;
  if (!isMapping(root) || !root.has('include')) return [part];
  const include = root.get('include');
  root.delete('include');
  const parts = [part];
  for (const { entry, origin } of entriesOf(include, { part, path: ['include'] })) {
    for (const included of yield* reader.read({ origin, entry, chain, content: 'keys' })) {
      for (const each of yield* withIncluded(included, [...chain, included], reader)) parts.push(each);
    }
  }
  return parts;
}

interface IncludeEntry {
  readonly entry: unknown;
  readonly origin: Origin;
}

/** Returns the entries of an `include`, which is a text or a list. */
function entriesOf(include: unknown, { part, path }: Origin): readonly IncludeEntry[] {
  if (!Array.isArray(include)) return [{ entry: include, origin: { part, path } }];
  return include.map((entry: unknown, index) => ({ entry, origin: { part, path: [...path, index] } }));
}

/** Replaces each `- include: FILE` in the routes of listeners by the routes of its files. */
function* insertRoutes(reader: SourceReader): Steps<void> {
  const { composition } = reader;
  const { root } = composition;
  const listeners = isMapping(root) ? root.get('listeners') : null;
  if (!Array.isArray(listeners)) return;
  for (const [index, listener] of (listeners as unknown[]).entries()) {
    const routes = isMapping(listener) ? listener.get('routes') : null;
    if (!Array.isArray(routes) || !routes.some(isInclude)) continue;
    const origin = composition.originOf(['listeners', index, 'routes']);
    const whole = new Routes();
    yield* whole.append(
      routes,
      origin,
      [composition.main, ...(origin.part === composition.main ? [] : [origin.part])],
      reader,
    );
    (listener as Map<string, unknown>).set('routes', whole.items);
    composition.compose(whole.items, whole.origins);
  }
}

/** The routes of one listener, from several files. */
class Routes {
  readonly items: unknown[] = [];
  readonly origins = new Map<number, Origin>();

  /** Appends a list and the files that it includes. */
  *append(
    list: readonly unknown[],
    { part, path }: Origin,
    chain: readonly Part[],
    reader: SourceReader,
  ): Steps<void> {
    for (const [index, item] of list.entries()) {
      if (index % ITEMS_PER_STEP === 0) yield;
      const origin = { part, path: [...path, index] };
      if (isInclude(item)) {
        yield* this.#appendIncluded(item.get('include'), childOrigin(origin, 'include'), chain, reader);
      } else {
        this.origins.set(this.items.length, origin);
        this.items.push(item);
      }
    }
  }

  *#appendIncluded(
    include: unknown,
    origin: Origin,
    chain: readonly Part[],
    reader: SourceReader,
  ): Steps<void> {
    for (const each of entriesOf(include, origin)) {
      for (const part of yield* reader.read({ ...each, chain, content: 'routes' })) {
        const { root } = part.file;
        const top = { part, path: [] };
        if (Array.isArray(root)) yield* this.append(root, top, [...chain, part], reader);
        else
          reader.composition.error(
            top,
            'the file is not a list of routes: write "- " before each route, or [ ] around all',
          );
      }
    }
  }
}

/** Whether an item of a list of routes stands for the routes of files. */
function isInclude(item: unknown): item is ReadonlyMap<string, unknown> {
  return isMapping(item) && item.size === 1 && item.has('include');
}
