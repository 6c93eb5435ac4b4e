/**
 * Copies bytes into memory of their own, outside of Node's pool.
 *
 * `slice` does not do this: on a Buffer it is a view of the same memory, although its type says `Uint8Array`.
 */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Copies a text so that it keeps no larger string alive: a part of a string may be a view into the whole. */
export function copyOfText<T extends string | undefined>(text: T): T {
  return (text === undefined ? undefined : Buffer.from(text).toString()) as T;
}
