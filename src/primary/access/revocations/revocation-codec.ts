import { isoTime, parseIsoTime } from '../../../core/timing/iso-time.ts';
import type { Revocation, RevocationRow } from '../../../protocol/access.ts';

/** A row as it comes, of any types. */
type Row = Partial<Record<keyof RevocationRow, unknown>>;

/** Max bytes of a principal, with its kind. */
export const MAX_PRINCIPAL_BYTES = 1024;

/** Writes a revocation for a file, another process, or a person. */
export function rowOf({ principal, at, until }: Revocation): RevocationRow {
  return { principal, at: isoTime(at), until: isoTime(until) };
}

/**
 * Reads what {@link rowOf} has written, from a file or another process.
 *
 * @throws Error that says in a few words what is wrong, and with which entry
 */
export function readRows(rows: unknown): Revocation[] {
  if (!Array.isArray(rows)) throw new Error('the revocations are no list');
  return rows.map((row: Row | null, index) => {
    const revocation = row === null ? null : readRow(row);
    if (revocation === null) throw new Error(`revocation ${index + 1} has no principal, or no times`);
    return revocation;
  });
}

function readRow({ principal, at, until }: Row): Revocation | null {
  if (typeof principal !== 'string' || principal === '') return null;
  if (Buffer.byteLength(principal) > MAX_PRINCIPAL_BYTES) return null;
  const [from, to] = [readTime(at), readTime(until)];
  return from === null || to === null ? null : { principal, at: from, until: to };
}

function readTime(time: unknown): number | null {
  return typeof time === 'string' ? parseIsoTime(time) : null;
}
