/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const SINGLE_RANGE = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i;

/**
 * Reads a Range header for a file. RFC 9110 section 14.2.
 *
 * @param size of the file in bytes
 * @returns the range to send; `unsatisfiable` for one outside of the file (416); null for what is to be
 *   answered with the whole file: another unit, a syntax error, and several ranges, which a server may ignore
 *   and which nobody but an attacker asks small files for
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | null {
  const match = SINGLE_RANGE.exec(header);
  if (match === null) return null;
  const [, from, to, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    if (Number(suffix) === 0) return 'unsatisfiable';
    // All of an empty file is asked for, which no Content-Range can say.
    return size === 0 ? null : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Infinity : Number(to);
  if (last < first) return null;
  return first >= size ? 'unsatisfiable' : { first, last: Math.min(last, size - 1) };
}
