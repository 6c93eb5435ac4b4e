import type { BigIntStats } from 'node:fs';
import { parseHttpDate } from './http-date.ts';

/** Validators that distinguish versions of a file (RFC 9110 section 8.8). */
export interface Validators {
  /** An entity tag, including its quotes. */
  readonly etag: string;
  /** Milliseconds since 1970, in whole seconds. */
  readonly lastModified: number;
}

type HeaderOf = (name: string) => string | undefined;

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Returns the validators of a file. The entity tag is strong, so that If-Range can use it. It consists of the
 * file's modification time in nanoseconds and its size. nginx uses seconds.
 */
export function validatorsOf(stats: BigIntStats): Validators {
  // A date in the future is not a valid Last-Modified (RFC 9110 section 8.8.2.1).
  const modified = Math.min(Number(stats.mtimeMs), Date.now());
  return {
    etag: `"${stats.mtimeNs.toString(16)}-${stats.size.toString(16)}"`,
    lastModified: Math.floor(modified / 1000) * 1000,
  };
}

/**
 * Evaluates the conditions of a GET or HEAD, in the order of RFC 9110 section 13.2.2.
 *
 * @returns the status to answer instead of the file, null to send the file
 */
export function failedPrecondition(header: HeaderOf, { etag, lastModified }: Validators): 304 | 412 | null {
  const ifMatch = header('if-match');
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, etag, false)) return 412;
  } else {
    const since = dateOf(header('if-unmodified-since'));
    if (since !== null && lastModified > since) return 412;
  }
  const ifNoneMatch = header('if-none-match');
  if (ifNoneMatch !== undefined) return lists(ifNoneMatch, etag, true) ? 304 : null;
  const since = dateOf(header('if-modified-since'));
  return since !== null && lastModified <= since ? 304 : null;
}

/**
 * Whether a Range may be answered with a part of this version of the file. That is the case without an
 * If-Range, or if the client certainly has a part of the same version (RFC 9110 section 13.1.5).
 */
export function rangeApplies(ifRange: string | undefined, { etag, lastModified }: Validators): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === etag;
  // A date within the last second may belong to two versions.
  return dateOf(ifRange) === lastModified && lastModified < Date.now() - 1000;
}

/** Whether a list of entity tags, or `*`, contains the tag. Weak tags match only if `weak` is true. */
function lists(header: string, etag: string, weak: boolean): boolean {
  if (header.trim() === '*') return true;
  for (const [tag] of header.matchAll(ENTITY_TAG)) {
    if (tag === etag || (weak && tag === `W/${etag}`)) return true;
  }
  return false;
}

function dateOf(header: string | undefined): number | null {
  return header === undefined ? null : parseHttpDate(header);
}
