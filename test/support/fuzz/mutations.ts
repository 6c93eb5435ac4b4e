/** Damage to bytes that are valid, and places at which they are cut, for fast-check. */
import fc from 'fast-check';

interface Edit {
  readonly kind: 'replace' | 'insert' | 'delete' | 'repeat';
  readonly at: number;
  readonly length: number;
  readonly bytes: Buffer;
}

/** Returns edits of a text; most are of few bytes. @param pieces that mean something to the reader of the text */
export function edits(pieces: readonly Buffer[]): fc.Arbitrary<Edit[]> {
  const edit = fc.record({
    kind: fc.constantFrom('replace', 'insert', 'delete', 'repeat'),
    at: fc.nat(100_000),
    length: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
      fc.integer({ min: 1, max: 40 }),
    ),
    bytes: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...pieces) },
      fc.nat(255).map((byte) => Buffer.from([byte])),
    ),
  });
  return fc.array(edit, { maxLength: 3 });
}

/** Applies edits one after the other. */
export function edited(bytes: Buffer, list: readonly Edit[]): Buffer {
  let result = bytes;
  for (const { kind, at, length, bytes: piece } of list) {
    const start = at % (result.length + 1);
    const end = Math.min(result.length, start + length);
    const before = result.subarray(0, start);
    const taken = result.subarray(start, end);
    const behind = result.subarray(end);
    const parts = {
      replace: [before, piece, behind],
      insert: [before, piece, taken, behind],
      delete: [before, behind],
      repeat: [before, taken, taken, behind],
    }[kind];
    result = Buffer.concat(parts);
  }
  return result;
}

/** The places at which reads end. */
export const cutPlaces = fc.array(fc.nat(100_000), { maxLength: 6 });

/** Returns the ends of the reads in which bytes come: cut at the places, or byte by byte. */
export function readEnds(length: number, places: readonly number[] | 'each byte'): number[] {
  if (places === 'each byte') return Array.from({ length }, (_, index) => index + 1);
  const ends = places.map((place) => place % (length + 1)).sort((a, b) => a - b);
  return [...ends, length];
}
