/** A list whose elements are created while the text is consumed. */
export class LazyList<T> {
  readonly elements: Iterable<T>;

  constructor(elements: Iterable<T>) {
    this.elements = elements;
  }
}

/**
 * Yields the JSON of a value with indentation, like `JSON.stringify(value, null, 2)`. Objects with a {@link
 * LazyList} and the list itself are yielded piece by piece. Every other value is one piece.
 */
export function* jsonPieces(value: unknown, indent = ''): Generator<string, void> {
  const inner = `${indent}  `;
  if (value instanceof LazyList) {
    let before = '[';
    for (const element of value.elements) {
      yield `${before}\n${inner}`;
      yield* jsonPieces(element, inner);
      before = ',';
    }
    yield before === '[' ? '[]' : `\n${indent}]`;
  } else if (hasLazyList(value)) {
    let before = '{';
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield `${before}\n${inner}${JSON.stringify(key)}: `;
      yield* jsonPieces(member, inner);
      before = ',';
    }
    yield `\n${indent}}`;
  } else {
    yield JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);
  }
}

function hasLazyList(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => member instanceof LazyList);
}
