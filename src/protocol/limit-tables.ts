/** Messages between the primary and workers about the tables of limits. */

/** Returns the key of a limit's table. Names of limits are unique in a listener. */
export function tableName(listener: string, limit: string): string {
  return JSON.stringify([listener, limit]);
}

/**
 * Announces the ledger of a worker's run for a table. The ledger counts the places that the run holds: the
 * primary releases them when the run ends.
 */
export interface LimitLedgerReport {
  readonly type: 'limit_ledger';
  /** Memory of the table. */
  readonly table: SharedArrayBuffer;
  /** Memory of a `HoldLedger` for the table. */
  readonly ledger: SharedArrayBuffer;
}
