/** Finds the values of a JSON path in a tree of nodes. */
import type { PathSegment, PathSelector } from '../../core/redaction/json-path.ts';
import { valueOf, type JsonNode } from './json-tree.ts';

/** Work budget for one message. */
export interface SearchBudget {
  /** Remaining number of values to visit. */
  left: number;
}

/** Searches one tree. */
export class PathSearch {
  readonly #root: JsonNode;
  readonly #text: string;
  readonly #budget: SearchBudget;
  /** Values of nodes, for filters. */
  readonly #values = new Map<JsonNode, unknown>();

  constructor(root: JsonNode, text: string, steps: SearchBudget) {
    this.#root = root;
    this.#text = text;
    this.#budget = steps;
  }

  /** Returns the nodes of a path, each once. The result is incomplete if the budget runs out. */
  find(segments: readonly PathSegment[]): readonly JsonNode[] {
    let nodes: readonly JsonNode[] = [this.#root];
    for (const { isDescendant, selectors } of segments) {
      const found: JsonNode[] = [];
      for (const node of isDescendant ? this.#withDescendants(nodes) : nodes) {
        for (const selector of selectors) this.#select(selector, node, found);
        if (this.#budget.left < 0) return found;
      }
      // A single selector finds each child once.
      nodes = selectors.length > 1 ? [...new Set(found)] : found;
    }
    return nodes;
  }

  /** Returns the objects and arrays among the nodes and their descendants, each once. */
  #withDescendants(nodes: readonly JsonNode[]): readonly JsonNode[] {
    const all = nodes.length > 1 ? outermost(nodes) : nodes.filter(isContainer);
    for (let index = 0; index < all.length && this.#budget.left >= 0; index++) {
      const { children } = all[index]!;
      this.#budget.left -= children.length;
      for (const child of children) if (isContainer(child)) all.push(child);
    }
    return all;
  }

  #select(selector: PathSelector, { names, children }: JsonNode, found: JsonNode[]): void {
    if (children === null) return;
    this.#budget.left -= 1;
    switch (selector.kind) {
      case 'name':
        if (names === null) return;
        this.#budget.left -= names.length;
        for (let index = 0; index < names.length; index++) {
          if (names[index] === selector.name) found.push(children[index]!);
        }
        return;
      case 'index': {
        const child = names === null ? children.at(selector.index) : undefined;
        if (child !== undefined) found.push(child);
        return;
      }
      case 'slice':
        if (names === null)
          for (const index of indexes(selector, children.length)) found.push(children[index]!);
        break;
      case 'wildcard':
        for (const child of children) found.push(child);
        break;
      case 'filter':
        this.#filter(selector.passes, children, found);
    }
    this.#budget.left -= children.length;
  }

  #filter(
    passes: (value: unknown, root: unknown) => boolean,
    children: readonly JsonNode[],
    found: JsonNode[],
  ): void {
    const root = valueOf(this.#root, this.#text, this.#values);
    for (const child of children) {
      // A filter costs far more than a visit, and may read every child of the value.
      this.#budget.left -= 30 + (child.children?.length ?? 0);
      if (this.#budget.left < 0) return;
      if (passes(valueOf(child, this.#text, this.#values), root)) found.push(child);
    }
  }
}

type Container = JsonNode & { readonly children: readonly JsonNode[] };

function isContainer(node: JsonNode): node is Container {
  return node.children !== null;
}

/** Drops the nodes that lie inside others. */
function outermost(nodes: readonly JsonNode[]): Container[] {
  const kept: Container[] = [];
  let end = 0;
  for (const node of nodes.filter(isContainer).sort((a, b) => a.start - b.start)) {
    if (node.start < end) continue;
    kept.push(node);
    end = node.end;
  }
  return kept;
}

/** Yields the indexes of a slice (RFC 9535 section 2.3.4.2.2), in any order. */
function* indexes(
  {
    start,
    stop,
    step,
  }: { readonly start: number | undefined; readonly stop: number | undefined; readonly step: number },
  length: number,
): Generator<number> {
  if (step === 0) return;
  const absolute = (index: number): number => (index < 0 ? length + index : index);
  const within = (index: number, min: number, max: number): number => Math.min(Math.max(index, min), max);
  if (step > 0) {
    const end = within(absolute(stop ?? length), 0, length);
    for (let at = within(absolute(start ?? 0), 0, length); at < end; at += step) yield at;
  } else {
    const end = within(stop === undefined ? -1 : absolute(stop), -1, length - 1);
    for (let at = within(absolute(start ?? length - 1), -1, length - 1); at > end; at += step) yield at;
  }
}
