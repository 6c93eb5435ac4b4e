/** A list whose elements are made while the text is taken. */
export class LazyList<T> {
  readonly elements: Iterable<T>;

  constructor(elements: Iterable<T>) {
    this.elements = elements;
  }
}

/**
 * Yields the JSON of a value, indented for people: what `JSON.stringify(value, null, 2)` returns. An object with a
 * {@link LazyList}, and the list, are written piece by piece; every other value is one piece.
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
