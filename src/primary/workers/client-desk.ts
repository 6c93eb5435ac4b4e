import type { AccessCommand, ClientReport, Revocation } from '../../protocol/access.ts';

/** Answers what workers ask about clients, and keeps what a new worker must know of them. */
export interface ClientDesk {
  /** The revocations in force. */
  readonly revocations: readonly Revocation[];
  /** By URL: the key sets that have been fetched. */
  readonly keySets: ReadonlyMap<string, string>;
  /**
   * Takes a report of a worker.
   *
   * @param reply sends the worker a message, as long as this run of it lasts. The same function for all
   * reports of the run.
   */
  hear(report: ClientReport, reply: (command: AccessCommand) => void): void;
}
