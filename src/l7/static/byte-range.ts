/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const SINGLE_RANGE = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i;

/**
 * Parses a Range header for a file (RFC 9110 section 14.2).
 *
 * @param size size of the file in bytes
 * @returns the range to send, or `unsatisfiable` for a range outside the file (416). Null to send the whole
 * file: for another unit, a syntax error, or several ranges. A server may ignore several ranges, and clients
 * do not need them for small files.
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | null {
  const match = SINGLE_RANGE.exec(header);
  if (match === null) return null;
  const [, from, to, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    if (Number(suffix) === 0) return 'unsatisfiable';
    // Content-Range has no form for the bytes of an empty file.
    return size === 0 ? null : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Infinity : Number(to);
  if (last < first) return null;
  return first >= size ? 'unsatisfiable' : { first, last: Math.min(last, size - 1) };
}
