/** Bodies from files for sluice's own error answers. */

/** The content of a file. */
export interface ErrorPage {
  /** Absolute path. */
  readonly file: string;
  /** Value of Content-Type, which the ending of the file decides. */
  readonly contentType: string;
  /** Shared by all places that name the file. Must not change. */
  readonly body: Uint8Array;
}

/**
 * Pages keyed by status (`404`), class of statuses (`5xx`), or `default`. The most specific key of an answer
 * wins.
 */
export type ErrorPageSettings = ReadonlyMap<string, ErrorPage>;
