/** What a route changes in the headers of the messages that pass it. */
export interface HeaderEdits {
  /** Lower-case names of which nothing that was received goes on. */
  readonly dropped: ReadonlySet<string>;
  /** What is written behind the rest: name, value, name, value ... */
  readonly added: readonly string[];
}

export const NO_EDITS: HeaderEdits = { dropped: new Set(), added: [] };
