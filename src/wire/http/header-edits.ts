/** Changes that a route makes to the headers of the messages that pass it. */
export interface HeaderEdits {
  /** Lower-case names of received headers that end here. */
  readonly dropped: ReadonlySet<string>;
  /** Headers that are written behind the others: name, value, name, value ... */
  readonly added: readonly string[];
}

export const NO_EDITS: HeaderEdits = { dropped: new Set(), added: [] };
