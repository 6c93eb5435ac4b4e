/** Joins the roots of several files. */
import type { Steps } from '../../core/timing/steps.ts';
import type { Composition, Origin, Part } from '../syntax/composition.ts';
import { isMapping } from '../syntax/section.ts';

/** Joins the roots of files: lists are appended, and groups of settings are merged. */
export function* mergeRoots(parts: readonly Part[], composition: Composition): Steps<unknown> {
  const merged = new Map<string, unknown>();
  const origins = new Map<string | number, Origin>();
  const containers = new MergedContainers(composition);
  for (const part of parts) {
    const { root } = part.file;
    if (root === null) continue;
    if (!isMapping(root)) {
      composition.error(
        { part, path: [] },
        'the file has no keys: write keys of the root, such as "clusters:"',
      );
      continue;
    }
    for (const [key, value] of root) {
      yield;
      const origin = { part, path: [key] };
      const first = origins.get(key);
      // A group is empty if all of its keys are commented out.
      if (first !== undefined && value === null) continue;
      if (first === undefined || merged.get(key) === null) {
        merged.set(key, value);
        origins.set(key, origin);
      } else {
        merged.set(key, containers.merge({ value: merged.get(key), origin: first }, { value, origin }));
      }
    }
  }
  composition.compose(merged, origins);
  return merged;
}

interface ValueWithOrigin {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Mappings and lists whose children come from several files. */
class MergedContainers {
  readonly #composition: Composition;
  /** Origins of the children of each merged mapping or list. */
  readonly #origins = new Map<object, Map<string | number, Origin>>();

  constructor(composition: Composition) {
    this.#composition = composition;
  }

  /** Merges two values of a key. Adds an error if both set the same. Returns the merged value. */
  merge(first: ValueWithOrigin, second: ValueWithOrigin): unknown {
    if (Array.isArray(first.value) && Array.isArray(second.value)) {
      return this.#append(first, second.value, second.origin);
    }
    if (isMapping(first.value) && isMapping(second.value)) {
      return this.#extend(first, second.value, second.origin);
    }
    this.#refuse(String(second.origin.path.at(-1)), first.origin, second.origin);
    return first.value;
  }

  #append(first: ValueWithOrigin, items: readonly unknown[], origin: Origin): unknown {
    const list = this.#extendable(first, () => [...(first.value as unknown[])]);
    const origins = this.#origins.get(list)!;
    for (const [index, item] of items.entries()) {
      origins.set(list.length, childOrigin(origin, index));
      list.push(item);
    }
    return list;
  }

  #extend(first: ValueWithOrigin, keys: ReadonlyMap<string, unknown>, origin: Origin): unknown {
    const mapping = this.#extendable(first, () => new Map(first.value as ReadonlyMap<string, unknown>));
    const origins = this.#origins.get(mapping)!;
    for (const [key, value] of keys) {
      const earlier = origins.get(key);
      if (earlier !== undefined) {
        this.#refuse(key, earlier, childOrigin(origin, key));
        continue;
      }
      origins.set(key, childOrigin(origin, key));
      mapping.set(key, value);
    }
    return mapping;
  }

  /** Returns a value that may be extended: a copy of the value of one file, made once. */
  #extendable<Container extends unknown[] | Map<string, unknown>>(
    { value, origin }: ValueWithOrigin,
    copy: () => Container,
  ): Container {
    if (this.#origins.has(value as Container)) return value as Container;
    const container = copy();
    const origins = new Map<string | number, Origin>();
    for (const key of container.keys()) origins.set(key, childOrigin(origin, key));
    this.#origins.set(container, origins);
    this.#composition.compose(container, origins);
    return container;
  }

  #refuse(key: string, first: Origin, second: Origin): void {
    const place = this.#composition.placeOf(first);
    this.#composition.error(second, `${key} is also set at ${place}: keep one of them`);
  }
}

/** Returns the origin of a child of a mapping or list. */
export function childOrigin({ part, path }: Origin, step: string | number): Origin {
  return { part, path: [...path, step] };
}
