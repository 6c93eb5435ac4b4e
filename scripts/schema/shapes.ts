/** Records the shape of every value of a configuration while the loader reads it. */
import { SETTINGS } from '../../src/config/schema/root-settings.ts';
import { describeFormat, type FormatDescription } from '../../src/config/syntax/format-description.ts';
import type { KeyObserver } from '../../src/config/syntax/key-observer.ts';
import type { Path } from '../../src/config/syntax/source-file.ts';
import { SourceFile } from '../../src/config/syntax/source-file.ts';
import { clusterPath, isTarget } from '../reference/cluster-paths.ts';
import { readWhole } from '../reference/record-keys.ts';
import { WHOLE } from '../../test/unit/config/whole.ts';

type Layer = 'l4' | 'l7';

/** The forms that one value may have. A value with several forms may have any of them. */
export class Shape {
  /** Scalars, and mappings whose keys are the user's own. */
  readonly forms: FormatDescription[] = [];
  /** Values of a mapping with fixed keys, by key; null if the value is never a mapping. */
  keys: Map<string, Shape> | null = null;
  /** Noun phrase for a mapping with fixed keys, such as `a route`. Empty for another value. */
  what = '';
  /** A mapping has exactly one of these keys; null if it may have several. */
  only: readonly string[] | null = null;
  /** The elements of a list; null if the value is never a list. */
  items: Shape | null = null;
  minItems = Infinity;
  /** Whether an element alone may stand for a list. */
  isSingle = false;
  /** Whether a format reads the value. A file may then have its text. */
  isRead = false;

  /** The shape of an element that stands alone; any other value's own shape. */
  get element(): Shape {
    return this.isSingle && this.items !== null ? this.items : this;
  }

  add(form: FormatDescription): void {
    if (form.type === 'list') {
      this.list(form.min);
      return;
    }
    const text = JSON.stringify(form);
    if (this.forms.every((other) => JSON.stringify(other) !== text)) this.forms.push(form);
  }

  list(min: number): void {
    this.items ??= new Shape();
    this.minItems = Math.min(this.minItems, min);
  }

  mapping(keys: readonly string[]): Map<string, Shape> {
    this.keys ??= new Map();
    for (const key of keys) if (!this.keys.has(key)) this.keys.set(key, new Shape());
    return this.keys;
  }
}

/** Returns the shape of a value that is not a list. It may be an element that stands alone. */
export function withoutList(shape: Shape): Shape {
  const { element, forms } = shape;
  if (element === shape) return shape;
  const joined = Object.assign(new Shape(), element, { forms: [...element.forms] });
  for (const form of forms) joined.add(form);
  return joined;
}

/** Shapes of a whole configuration. */
export interface Shapes {
  readonly root: Shape;
  /** Elements of `listeners`, by their mode. */
  readonly listeners: Readonly<Record<Layer, Shape>>;
}

/** Loads a configuration with every key, and returns the recorded shapes. */
export function recordShapes(): Shapes {
  const recorder = new Recorder(layersOf(new SourceFile(WHOLE).root));
  readWhole(recorder);
  return recorder;
}

/** Returns the mode of each listener. */
function layersOf(root: unknown): readonly Layer[] {
  const listeners: unknown = root instanceof Map ? root.get('listeners') : null;
  if (!Array.isArray(listeners)) throw new Error('the whole configuration has no listeners');
  return listeners.map((listener: ReadonlyMap<string, unknown>) =>
    listener.get('mode') === 'l4' ? 'l4' : 'l7',
  );
}

class Recorder implements KeyObserver, Shapes {
  readonly root = new Shape();
  readonly listeners = { l4: new Shape(), l7: new Shape() };
  readonly #layers: readonly Layer[];

  /** @param layers modes of the listeners that are read */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    for (const path of Object.keys(SETTINGS)) {
      let shape = this.root;
      for (const step of path.split('.')) shape = shape.mapping([step]).get(step)!;
    }
    // The loader accepts a group of settings without keys.
    for (const group of this.root.keys!.values()) if (group.keys !== null) group.add({ type: 'empty' });
  }

  mapping(path: Path, what: string, keys: readonly string[]): void {
    // A mapping below `to` is a cluster, and its keys are recorded there.
    const shape = isTarget(path) ? undefined : this.#find(path)?.element;
    if (shape === undefined) return;
    shape.mapping(keys);
    if (shape.what === '') shape.what = what;
  }

  value(path: Path, format: (value: unknown) => unknown): void {
    const found = this.#find(path);
    if (found === null) return;
    const form = describeFormat(format);
    if (form === null) throw new Error(`the format of ${path.join('.')} does not describe itself`);
    const shape = form.type === 'list' ? found : found.element;
    shape.add(form);
    shape.isRead = true;
    if (accepts(format, null)) shape.add({ type: 'empty' });
  }

  optional(path: Path, format: (value: unknown) => unknown): void {
    this.value(path, format);
  }

  required(path: Path, format: (value: unknown) => unknown): void {
    this.value(path, format);
  }

  form(path: Path, form: FormatDescription): void {
    this.#find(path)?.add(form);
  }

  list(path: Path, _: string, min: number): void {
    this.#find(path)?.list(min);
  }

  single(path: Path): void {
    const shape = this.#find(path);
    if (shape !== null) shape.isSingle = true;
  }

  only(path: Path, keys: readonly string[]): void {
    const shape = this.#find(path);
    if (shape !== null) shape.only = keys;
  }

  /** Returns the shape at a path. Null below a mapping whose keys are the user's own. */
  #find(path: Path): Shape | null {
    const [start, steps] = this.#start(clusterPath(path));
    let shape = start;
    for (const step of steps) {
      if (typeof step === 'number') {
        shape.list(Infinity);
        shape = shape.items!;
        continue;
      }
      const below = shape.element.keys?.get(step);
      if (below === undefined) return null;
      shape = below;
    }
    return shape;
  }

  /** Returns where a path begins: at the root, or at a listener of its mode. */
  #start(path: Path): [shape: Shape, rest: Path] {
    const [list, index, ...rest] = path;
    if (list !== 'listeners' || typeof index !== 'number') return [this.root, path];
    const layer = this.#layers[index]!;
    const [routes, , key] = rest;
    // Routes and listeners share these mappings.
    const isShared = routes === 'routes' && (key === 'access' || key === 'limits');
    return [this.listeners[layer], isShared ? rest.slice(2) : rest];
  }
}

function accepts(format: (value: unknown) => unknown, value: unknown): boolean {
  try {
    format(value);
    return true;
  } catch {
    return false;
  }
}
