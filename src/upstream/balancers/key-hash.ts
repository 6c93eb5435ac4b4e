/**
 * Returns a 32-bit hash that is the same in every thread, process and version: FNV-1a over the text's UTF-16
 * units (Fowler, Noll and Vo, RFC 9923), finished by {@link mix}.
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

/** Spreads the bits of a number over 32 bits: the finalizer of MurmurHash3 (Appleby). */
export function mix(number: number): number {
  let hash = number;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
