import type { AccessCommand, ClientReport, Revocation } from '../../protocol/access.ts';

/** Answers the workers' reports about clients, and keeps what a new worker must know about them. */
export interface ClientService {
  /** The revocations in force. */
  readonly revocations: readonly Revocation[];
  /** Fetched key sets as text, by URL. */
  readonly keySets: ReadonlyMap<string, string>;
  /**
   * Handles a worker's report.
   *
   * @param reply sends a message to this run of the worker while it lasts. The same function for all reports
   * of the run
   */
  receive(report: ClientReport, reply: (command: AccessCommand) => void): void;
}
