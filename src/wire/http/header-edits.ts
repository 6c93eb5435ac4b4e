/** Header changes that a route makes to the messages it forwards. */
export interface HeaderEdits {
  /** Received headers to drop, in lower case. */
  readonly dropped: ReadonlySet<string>;
  /** Headers to add after the others: name, value, name, value ... */
  readonly added: readonly string[];
}

export const NO_EDITS: HeaderEdits = { dropped: new Set(), added: [] };
