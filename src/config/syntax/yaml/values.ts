/** Values of a parsed YAML text with aliases and merges resolved, in time linear in the number of values. */
import type { Alias, Document, Node, Pair, Scalar, YAMLMap } from 'yaml';
import type { YamlFault } from './limits.ts';
import { MAX_DEPTH, MAX_VALUES } from './limits.ts';
import { yaml } from './package.ts';
import { unknownAlias } from './remedies.ts';

/** A value and its size. */
interface Built {
  readonly value: unknown;
  /** Number of values inside, with aliased values counted at each use. */
  readonly size: number;
  /** Levels of mappings and lists. */
  readonly height: number;
}

/** A node that aliases refer to. */
interface Anchor {
  readonly node: Node;
  /** Null until the whole node has been built. */
  built: Built | null;
}

const EMPTY: Built = { value: null, size: 1, height: 0 };

/** Thrown inside {@link YamlValues} only. */
class Fault extends Error {
  readonly offset: number;

  constructor(node: Node, message: string) {
    super(message);
    this.offset = node.range?.[0] ?? 0;
  }
}

/**
 * The values of one document: mappings as Maps, lists as arrays. The parser's own resolution takes quadratic
 * time for aliases and for the keys of a mapping.
 */
export class YamlValues {
  /** Null for an empty document, and if there is a fault. */
  readonly root: unknown;
  readonly fault: YamlFault | null;
  /** Keys that are set a second time in their mapping. */
  readonly duplicates: readonly Node[];
  readonly #duplicates: Node[] = [];
  readonly #anchors = new Map<string, Anchor>();
  readonly #targets = new Map<Alias, Node>();
  /** The last pair of each key. */
  readonly #pairs = new Map<YAMLMap, ReadonlyMap<unknown, Pair<Node>>>();
  /** The pairs that a mapping gets by `<<`. */
  readonly #merged = new Map<YAMLMap, ReadonlyMap<unknown, Pair<Node>>>();

  constructor(document: Document.Parsed) {
    this.duplicates = this.#duplicates;
    let root: unknown = null;
    let fault: YamlFault | null = null;
    try {
      root = this.#build(document.contents, 0).value;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      fault = { offset: error.offset, message: error.message };
    }
    this.root = root;
    this.fault = fault;
  }

  /** Returns the node that an alias refers to, or any other node itself. */
  resolve(node: unknown): Node | null {
    if (!yaml().isNode(node)) return null;
    return yaml().isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }

  /** Returns the pair of a key in a mapping. If the key is set twice, the last pair counts. */
  pair(map: YAMLMap, key: string): Pair<Node> | undefined {
    return this.#pairs.get(map)?.get(key);
  }

  /** Returns the pair that `<<` takes from another mapping, for a key that the mapping lacks. */
  mergedPair(map: YAMLMap, key: string): Pair<Node> | undefined {
    return this.#merged.get(map)?.get(key);
  }

  #build(node: unknown, depth: number): Built {
    if (!yaml().isNode(node)) return EMPTY;
    if (yaml().isAlias(node)) return this.#alias(node, depth);
    const anchor: Anchor = { node, built: null };
    // Set before the node's content is built: a nested anchor of the same name comes later.
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, anchor);
    if (yaml().isMap(node)) anchor.built = this.#map(node, depth);
    else if (yaml().isSeq(node)) anchor.built = this.#list(node.items, node, depth);
    else anchor.built = { value: node.value, size: 1, height: 0 };
    return anchor.built;
  }

  #alias(alias: Alias, depth: number): Built {
    const { source } = alias;
    const anchor = this.#anchors.get(source);
    if (anchor === undefined) throw new Fault(alias, unknownAlias(source));
    const { node, built } = anchor;
    if (built === null) throw new Fault(alias, `*${source} is inside &${source}: write the value out`);
    if (depth + built.height > MAX_DEPTH) {
      throw new Fault(alias, `aliases nest more than ${MAX_DEPTH} deep: write fewer of them`);
    }
    this.#targets.set(alias, node);
    return built;
  }

  #list(items: readonly unknown[], node: Node, depth: number): Built {
    const values: unknown[] = [];
    let size = 1;
    let height = 0;
    for (const item of items) {
      // Items of !!omap and !!pairs are pairs.
      const built = this.#build(yaml().isPair(item) ? item.value : item, depth + 1);
      size = grown(size, built, yaml().isNode(item) ? item : node);
      height = Math.max(height, built.height);
      values.push(built.value);
    }
    return { value: values, size, height: height + 1 };
  }

  #map(map: YAMLMap, depth: number): Built {
    const values = new Map<unknown, unknown>();
    const pairs = new Map<unknown, Pair<Node>>();
    const mergedPairs = new Map<unknown, Pair<Node>>();
    let size = 1;
    let height = 0;
    for (const pair of map.items as Pair<Node>[]) {
      // An empty key has a node too. The parser refuses an alias as a key.
      const key = yaml().isScalar(pair.key) ? pair.key.value : null;
      const isMerge = yaml().isScalar(pair.key) && isMergeKey(pair.key);
      const name = isMerge ? '<<' : key;
      if (pairs.has(name)) this.#duplicates.push(pair.key);
      pairs.set(name, pair);
      const built = this.#build(pair.value, depth + 1);
      size = grown(size, built, yaml().isNode(pair.value) ? pair.value : pair.key);
      height = Math.max(height, built.height);
      if (isMerge) this.#merge(values, mergedPairs, built.value, pair);
      else values.set(key, built.value);
    }
    this.#pairs.set(map, pairs);
    if (mergedPairs.size > 0) this.#merged.set(map, mergedPairs);
    return { value: values, size, height: height + 1 };
  }

  /** Adds the keys and pairs of one or several mappings, except keys that `values` already has. */
  #merge(
    values: Map<unknown, unknown>,
    pairs: Map<unknown, Pair<Node>>,
    built: unknown,
    { key, value }: Pair<Node>,
  ): void {
    const source = this.resolve(value);
    const nodes = yaml().isSeq(source) ? source.items : [source];
    for (const [index, one] of (Array.isArray(built) ? (built as unknown[]) : [built]).entries()) {
      if (!(one instanceof Map)) {
        throw new Fault(
          yaml().isNode(value) ? value : key,
          '<< takes a mapping or a list of mappings: write *NAME',
        );
      }
      const node = this.resolve(nodes[index]);
      for (const [name, merged] of one as ReadonlyMap<unknown, unknown>) {
        if (values.has(name)) continue;
        values.set(name, merged);
        const pair = yaml().isMap(node)
          ? (this.#pairs.get(node)?.get(name) ?? this.#merged.get(node)?.get(name))
          : null;
        if (pair) pairs.set(name, pair);
      }
    }
  }
}

function isMergeKey({ value, type }: Scalar): boolean {
  if (typeof value === 'symbol') return value.description === '<<';
  return value === '<<' && (type === undefined || type === 'PLAIN');
}

function grown(size: number, { size: more }: Built, at: Node): number {
  if (size + more <= MAX_VALUES) return size + more;
  throw new Fault(at, `aliases come to more than ${MAX_VALUES} values: write fewer of them`);
}
