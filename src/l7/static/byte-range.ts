/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const SINGLE_RANGE = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i;

/**
 * Reads a Range header for a file (RFC 9110 section 14.2).
 *
 * @param size bytes of the file
 * @returns the range to send; `unsatisfiable` for a range outside of the file (416); null if the whole file is to be
 *   sent: for another unit, a syntax error, and several ranges. A server may ignore several ranges, and clients have no
 *   use for them in small files.
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | null {
  const match = SINGLE_RANGE.exec(header);
  if (match === null) return null;
  const [, from, to, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    if (Number(suffix) === 0) return 'unsatisfiable';
    // No Content-Range can name the bytes of an empty file.
    return size === 0 ? null : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Infinity : Number(to);
  if (last < first) return null;
  return first >= size ? 'unsatisfiable' : { first, last: Math.min(last, size - 1) };
}
