import { isoTime, parseIsoTime } from '../../../core/timing/iso-time.ts';
import type { Revocation, RevocationRow } from '../../../protocol/access.ts';

/** An unchecked row. */
type Row = Partial<Record<keyof RevocationRow, unknown>>;

/** Max bytes of a principal with its kind. */
export const MAX_PRINCIPAL_BYTES = 1024;

/** Formats a revocation for a file, another process, or a person. */
export function rowOf({ principal, at, until }: Revocation): RevocationRow {
  return { principal, at: isoTime(at), until: isoTime(until) };
}

/**
 * Parses rows that {@link rowOf} formatted, from a file or another process.
 *
 * @throws Error with the number of the first invalid row
 */
export function readRows(rows: unknown): Revocation[] {
  if (!Array.isArray(rows)) throw new Error('the revocations are not a list');
  return rows.map((row: Row | null, index) => {
    const revocation = row === null ? null : readRow(row);
    if (revocation === null) throw new Error(`revocation ${index + 1} has no principal, or no times`);
    return revocation;
  });
}

/** Whether an untrusted value is a valid principal. */
export function isPrincipal(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_PRINCIPAL_BYTES;
}

function readRow({ principal, at, until }: Row): Revocation | null {
  if (!isPrincipal(principal)) return null;
  const [from, to] = [readTime(at), readTime(until)];
  return from === null || to === null ? null : { principal, at: from, until: to };
}

function readTime(time: unknown): number | null {
  return typeof time === 'string' ? parseIsoTime(time) : null;
}
