/**
 * Copies bytes into separate memory, outside Node's pool.
 *
 * `slice` does not copy: on a Buffer it returns a view of the same memory, although its type says
 * `Uint8Array`.
 */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Copies a string so that it keeps no larger string alive: a substring may be a view of the whole. */
export function copyOfText<T extends string | undefined>(text: T): T {
  return (text === undefined ? undefined : Buffer.from(text).toString()) as T;
}
