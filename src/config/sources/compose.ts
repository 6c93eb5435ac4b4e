/** Joins the files of a configuration: `include` at the root, and `- include: FILE` in lists of routes. */
import type { Steps } from '../../core/timing/steps.ts';
import type { ItemReading } from '../syntax/item-memory.ts';
import type { OutsideValues } from '../syntax/outside/outside-values.ts';
import { isMapping } from '../syntax/section.ts';
import type { Path } from '../syntax/source-file.ts';
import type { Composition, Origin, Part } from '../syntax/composition.ts';
import { SourceReader, type MainFile } from './source-reader.ts';

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
  if (parts.length > 1) composition.root = mergedRoot(parts, composition);
  yield* insertRoutes(reader);
  return { composition, files: [...reader.files] };
}

/** Returns a file, and after it the files that it includes. */
function* withIncluded(part: Part, chain: readonly Part[], reader: SourceReader): Steps<readonly Part[]> {
  const root = part.file.root as Map<string, unknown> | null;
  if (!isMapping(root) || !root.has('include')) return [part];
  const include = root.get('include');
  root.delete('include');
  if (!Array.isArray(include)) {
    reader.composition.error(
      { part, path: ['include'] },
      'include is not a list: write a list of files, such as [clusters.yaml, "sites/*.yaml"]',
    );
    return [part];
  }
  const parts = [part];
  for (const [index, entry] of (include as unknown[]).entries()) {
    const origin = { part, path: ['include', index] };
    for (const included of yield* reader.read({ origin, entry, chain, content: 'keys' })) {
      for (const each of yield* withIncluded(included, [...chain, included], reader)) parts.push(each);
    }
  }
  return parts;
}

/** Joins the roots of files: lists are appended, and groups of settings are merged. */
function mergedRoot(parts: readonly Part[], composition: Composition): unknown {
  const root = new Map<string, unknown>();
  const origins = new Map<string | number, Origin>();
  const joined = new Joined(composition);
  for (const part of parts) {
    const own = part.file.root;
    if (own === null) continue;
    if (!isMapping(own)) {
      composition.error(
        { part, path: [] },
        'the file has no keys: write keys of the root, such as "clusters:"',
      );
      continue;
    }
    for (const [key, value] of own) {
      const origin = { part, path: [key] };
      const first = origins.get(key);
      // A group is empty if all of its keys are commented out.
      if (first !== undefined && value === null) continue;
      if (first === undefined || root.get(key) === null) {
        root.set(key, value);
        origins.set(key, origin);
      } else {
        root.set(key, joined.join({ value: root.get(key), origin: first }, { value, origin }));
      }
    }
  }
  composition.compose(root, origins);
  return root;
}

interface Placed {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Values of the root that come from several files. */
class Joined {
  readonly #composition: Composition;
  /** Joined mappings and lists, with the origins of their children. */
  readonly #children = new Map<object, Map<string | number, Origin>>();

  constructor(composition: Composition) {
    this.#composition = composition;
  }

  /** Joins two values of a key. Adds an error if both set the same. Returns the joined value. */
  join(first: Placed, second: Placed): unknown {
    if (Array.isArray(first.value) && Array.isArray(second.value)) {
      const list = this.#own(first, () => [...(first.value as unknown[])]) as unknown[];
      const origins = this.#children.get(list)!;
      for (const [index, item] of (second.value as unknown[]).entries()) {
        origins.set(list.length, below(second.origin, index));
        list.push(item);
      }
      return list;
    }
    if (isMapping(first.value) && isMapping(second.value)) {
      const map = this.#own(first, () => new Map(first.value as ReadonlyMap<string, unknown>)) as Map<
        string,
        unknown
      >;
      const origins = this.#children.get(map)!;
      for (const [key, value] of second.value) {
        const earlier = origins.get(key);
        const origin = below(second.origin, key);
        if (earlier !== undefined) {
          this.#refuse(key, earlier, origin);
          continue;
        }
        origins.set(key, origin);
        map.set(key, value);
      }
      return map;
    }
    this.#refuse(String(second.origin.path.at(-1)), first.origin, second.origin);
    return first.value;
  }

  /** Returns a value that may be extended: a copy of the value of one file, made once. */
  #own({ value, origin }: Placed, copy: () => object): object {
    if (this.#children.has(value as object)) return value as object;
    const own = copy();
    const keys = Array.isArray(own) ? own.keys() : (own as Map<string, unknown>).keys();
    const origins = new Map<string | number, Origin>();
    for (const key of keys) origins.set(key, below(origin, key));
    this.#children.set(own, origins);
    this.#composition.compose(own, origins);
    return own;
  }

  #refuse(key: string, first: Origin, second: Origin): void {
    const place = this.#composition.placeOf(first);
    this.#composition.error(second, `${key} is also set at ${place}: keep one of them`);
  }
}

function below({ part, path }: Origin, step: string | number): Origin {
  return { part, path: [...path, step] };
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

  *append(
    list: readonly unknown[],
    { part, path }: Origin,
    chain: readonly Part[],
    reader: SourceReader,
  ): Steps<void> {
    for (const [index, item] of list.entries()) {
      if (!isInclude(item)) {
        this.origins.set(this.items.length, { part, path: [...path, index] });
        this.items.push(item);
        continue;
      }
      const origin = { part, path: [...path, index, 'include'] };
      const entry = item.get('include');
      for (const included of yield* reader.read({ origin, entry, chain, content: 'routes' })) {
        const { root } = included.file;
        if (Array.isArray(root))
          yield* this.append(root, { part: included, path: [] }, [...chain, included], reader);
        else reader.composition.error({ part: included, path: [] as Path }, NO_ROUTES);
      }
    }
  }
}

const NO_ROUTES = 'the file has no list of routes: begin each route with "- "';

/** Whether an item of a list of routes stands for the routes of files. */
function isInclude(item: unknown): item is ReadonlyMap<string, unknown> {
  return isMapping(item) && item.size === 1 && item.has('include');
}
