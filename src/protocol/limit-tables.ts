/** What the primary and workers tell each other of the tables of limits. */

/** Returns the key of a limit's table among all tables. Names of limits are unique in a listener. */
export function tableName(listener: string, limit: string): string {
  return JSON.stringify([listener, limit]);
}

/**
 * This run of the worker begins to hold places in a table. What it holds stands in its ledger, so that the
 * primary can give it back when the run ends.
 */
export interface LimitLedgerReport {
  readonly type: 'limit_ledger';
  /** Memory of the table. */
  readonly table: SharedArrayBuffer;
  /** Memory of a `HoldLedger` for it. */
  readonly ledger: SharedArrayBuffer;
}
