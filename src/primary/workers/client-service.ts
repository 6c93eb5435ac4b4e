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
   * @param reply sends a message to the reporting worker run, if it still lives. All reports of a run get the
   * same function
   */
  receive(report: ClientReport, reply: (command: AccessCommand) => void): void;
}
