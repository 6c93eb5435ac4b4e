/** The objects of a heap snapshot by their class. */
import { readFileSync } from 'node:fs';

/** What V8 writes of a heap: numbers of all nodes in one array, and names in another. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly (readonly string[] | string)[];
    };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** Reads a file of `v8.writeHeapSnapshot`. @returns instances by the name of their class, plain objects and arrays included */
export function classesOf(path: string): Map<string, number> {
  return countClasses(JSON.parse(readFileSync(path, 'utf8')) as Snapshot);
}

/** Counts the nodes of the type `object`. */
function countClasses({ snapshot: { meta }, nodes, strings }: Snapshot): Map<string, number> {
  const width = meta.node_fields.length;
  const [type, name] = [meta.node_fields.indexOf('type'), meta.node_fields.indexOf('name')];
  const types = meta.node_types[type] as readonly string[];
  const object = types.indexOf('object');
  const counts = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += width) {
    if (nodes[at + type] !== object) continue;
    const text = strings[nodes[at + name]!] ?? '';
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

/**
 * Lists the classes that have grown.
 *
 * @param factor growth that is no leak
 * @param slack instances more that are none
 * @returns `name: before -> after`, the largest growth first
 */
export function grownClasses(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  factor: number,
  slack: number,
): string[] {
  return Array.from(after, ([name, count]) => ({ name, count, old: before.get(name) ?? 0 }))
    .filter(({ count, old }) => count > old * factor + slack)
    .sort((a, b) => b.count - b.old - (a.count - a.old))
    .map(({ name, count, old }) => `${name}: ${old} -> ${count}`);
}
